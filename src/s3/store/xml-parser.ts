/** Of the library the parser alone: an `import()` of the whole would keep its builder in the bundle as well. */
export { XMLParser } from "fast-xml-parser";
