/** Of Eleventy's, what is used; it has no types. */
declare module "@11ty/eleventy" {
  export interface Configuration {
    setIncludesDirectory(path: string): void;
    setTemplateFormats(formats: readonly string[]): void;
    addTemplate(path: string, text: string, data: object): void;
    addGlobalData(name: string, value: unknown): void;
    amendLibrary(name: "md", amend: (markdown: import("./markdown.ts").MarkdownIt) => void): void;
    addPassthroughCopy(paths: Readonly<Record<string, string>>): void;
  }

  export default class Eleventy {
    constructor(
      input: string,
      output: string,
      options: {
        readonly quietMode: boolean;
        readonly configPath: string | false;
        readonly config: (eleventy: Configuration) => object;
      },
    );
    write(): Promise<void>;
  }
}
