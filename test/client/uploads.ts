/** A page of a web developer's: useUpload() and nothing else. */
import { createElement as h } from "react";
import { createRoot } from "react-dom/client";
import { createClient } from "../../src/client/index.ts";
import { useUpload } from "../../src/client/react.ts";

const given = globalThis as never as {
  readonly service: { url: string; token: string };
  readonly document: Document;
};
interface Document {
  getElementById(id: string): never;
}
const files = createClient(given.service);

function Uploads() {
  const { items, loaded, total, add, pause, resume, cancel } = useUpload(files, {
    bucket: "media",
    keyOf: (file) => `react/${file.name}`,
    partSize: 5 * 2 ** 20,
    concurrency: 1,
  });
  const onChange = (event: { target: { files: Iterable<File> | null } }) => add(event.target.files);
  return h(
    "main",
    {},
    h("label", {}, "Files", h("input", { type: "file", multiple: true, onChange: onChange as never })),
    h("output", {}, `${loaded} of ${total}`),
    items.map(({ id, key, state, error }) =>
      h(
        "p",
        { key: id },
        `${key} ${state} ${error?.message ?? ""}`,
        h("button", { type: "button", onClick: () => pause(id) }, `pause ${key}`),
        h("button", { type: "button", onClick: () => resume(id) }, `resume ${key}`),
        h("button", { type: "button", onClick: () => cancel(id) }, `cancel ${key}`),
      ),
    ),
  );
}

createRoot(given.document.getElementById("root")).render(h(Uploads));
