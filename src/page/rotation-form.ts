/** What is to be rotated, and the question before anything is. */
import { ask } from "./dialog.ts";
import { button, failure, h } from "./dom.ts";
import { visible } from "./format.ts";
import type { Key } from "./keys.ts";
import { nameOfRotation, type Wanted } from "./rotation.ts";
import type { Grant } from "./session.ts";

interface FormHooks {
  readonly dryRun: (wanted: Wanted) => Promise<void>;
  readonly rotate: (wanted: Wanted) => Promise<void>;
}

/** @param places where whoever is signed in administers */
export function rotationForm(
  places: readonly Grant[],
  keys: readonly Key[],
  { dryRun, rotate }: FormHooks,
): HTMLFormElement {
  const bucket = h(
    "select",
    { onchange: () => fillPlace() },
    ...places.map((place, i) => h("option", { value: i }, visible(nameOfRotation(place)))),
  );
  const prefix = h("input", { type: "text", placeholder: "all of them", autocomplete: "off" });
  const from = h("select");
  const to = h("select");
  const encryptPlain = tick(
    "Encrypt what is in the clear",
    "Objects that are not encrypted come under the same key: nobody reads them without it any more. Older versions stay in the clear, unless they are removed.",
    () => fill(),
  );
  const versions = tick(
    "Copy older versions",
    "Where the bucket keeps versions: each under another key is copied onto a new version. Meanwhile readers may be given an older one.",
    () => fill(),
  );
  const removeVersions = tick(
    "Remove the versions that were copied",
    "For good, each once the store has shown its copy. Those that stay need their old key.",
  );
  const note = h("p", { class: "hint" });
  const said = h("div", { class: "said" });
  const placeNow = () => places[Number(bucket.value)] as Grant;

  const keysNow = () => keys.filter(({ buckets }) => buckets.includes(placeNow().bucket));
  const targetsNow = () => keysNow().filter(({ state }) => state === "active");

  function fillPlace(): void {
    const place = placeNow();
    const writes = ({ writes }: Key) => writes.includes(place.bucket);
    prefix.value = place.prefix;
    from.replaceChildren(
      h("option", { value: "" }, "every other key"),
      ...keysNow().map(({ id }) => h("option", { value: id }, visible(id))),
    );
    to.replaceChildren(
      ...targetsNow().map((key) =>
        h(
          "option",
          { value: key.id, selected: writes(key) },
          `${visible(key.id)}${writes(key) ? ", which writes now" : ""}`,
        ),
      ),
    );
    fill();
  }

  /** What can be begun, and what goes with what. */
  function fill(): void {
    const bucket = visible(placeNow().bucket);
    const isAlone = keysNow().length < 2 && !encryptPlain.box.checked;
    const cannotWrite = targetsNow().length === 0;
    begin.disabled = isAlone || cannotWrite;
    note.textContent = cannotWrite
      ? `None of the keys of ${bucket} may write now: their dates do not allow it.`
      : isAlone
        ? `${bucket} has one key, so there is no other to rotate from. A dry run tells what is under it.`
        : "";
    note.hidden = note.textContent === "";
    removeVersions.box.disabled = !versions.box.checked;
    if (!versions.box.checked) removeVersions.box.checked = false;
  }
  const acting = (act: (wanted: Wanted) => Promise<void>) => async () => {
    said.replaceChildren();
    try {
      await act({
        bucket: placeNow().bucket,
        ...(prefix.value && { prefix: prefix.value }),
        ...(from.value && { from: from.value }),
        ...(to.value && { to: to.value }),
        ...(encryptPlain.box.checked && { encryptPlain: true }),
        ...(versions.box.checked && { versions: true }),
        ...(removeVersions.box.checked && { removeVersions: true }),
      });
    } catch (error) {
      said.replaceChildren(failure(error));
    }
  };
  const count = h("button", { type: "submit", class: "button primary" }, "Dry run");
  const begin = button("Rotate…", acting(rotate));
  const form = h(
    "form",
    { class: "card begin", "aria-label": "Begin a rotation" },
    h(
      "div",
      { class: "fields" },
      field("Bucket", bucket),
      field("Objects that begin with", prefix),
      field("From", from),
      field("To", to),
    ),
    h(
      "fieldset",
      { class: "ticks" },
      h("legend", {}, "As well"),
      encryptPlain.element,
      versions.element,
      removeVersions.element,
    ),
    note,
    h("div", { class: "actions start" }, count, begin),
    said,
  );
  const submitted = acting(dryRun);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void submitted();
  });
  fillPlace();
  return form;
}

const field = (label: string, control: HTMLElement): HTMLLabelElement =>
  h("label", { class: "field" }, h("span", {}, label), control);

/** A box to tick, and what it does. */
function tick(label: string, hint: string, onchange?: () => void) {
  const id = `tick-${Math.random().toString(36).slice(2)}`;
  const box = h("input", { type: "checkbox", "aria-describedby": id, onchange });
  const words = h("p", { class: "hint", id }, hint);
  return { box, element: h("div", {}, h("label", { class: "tick" }, box, h("span", {}, label)), words) };
}

/** @param found what a dry run has found, as `12 objects` */
export async function mayRotate(wanted: Wanted, found?: string): Promise<boolean> {
  const { from, to = "the key that writes", encryptPlain, versions, removeVersions } = wanted;
  const name = visible(nameOfRotation(wanted));
  const under = from === undefined ? "any other of its keys" : visible(from);
  const { isYes } = await ask({
    title: `Rotate ${name} to ${visible(to)}?`,
    text: [
      `Every object of ${name} that is under ${under}${encryptPlain ? ", or in the clear," : ""} is written again under ${visible(to)}${found === undefined ? "" : `: ${found}, as the dry run found`}.`,
      "Its ETag and Last-Modified change, and presigned URLs for reading it end. Name, contents and metadata stay as they are; readers and writers go on meanwhile.",
      ...(encryptPlain
        ? [
            `Who reads what is in the clear without a key cannot any more${removeVersions ? "" : "; older versions of it stay as they are, and readable"}.`,
          ]
        : []),
      ...(versions
        ? [
            "Older versions are copied onto new ones, with new ids and times, the oldest first. Until the last copy of an object is there, its readers are given an older version.",
          ]
        : []),
      ...(removeVersions
        ? [
            "Each version that was copied is removed for good, with its id and its time. That cannot be undone; what is locked stays.",
          ]
        : []),
      "It can be cancelled. What is done by then stays so.",
    ],
    yes: removeVersions ? "Rotate, and remove versions" : "Rotate",
    no: "Not now",
    isGrave: removeVersions === true,
  });
  return isYes;
}
