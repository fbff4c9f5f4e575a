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
    { onchange: () => fill() },
    ...places.map((place, i) => h("option", { value: i }, visible(nameOfRotation(place)))),
  );
  const prefix = h("input", { type: "text", placeholder: "all of them", autocomplete: "off" });
  const from = h("select");
  const to = h("select");
  const note = h("p", { class: "hint" });
  const said = h("div", { class: "said" });
  const placeNow = () => places[Number(bucket.value)] as Grant;

  function fill(): void {
    const place = placeNow();
    const its = keys.filter(({ buckets }) => buckets.includes(place.bucket));
    const targets = its.filter(({ state }) => state === "active");
    const writes = ({ writes }: Key) => writes.includes(place.bucket);
    prefix.value = place.prefix;
    from.replaceChildren(
      h("option", { value: "" }, "every other key"),
      ...its.map(({ id }) => h("option", { value: id }, visible(id))),
    );
    to.replaceChildren(
      ...targets.map((key) =>
        h(
          "option",
          { value: key.id, selected: writes(key) },
          `${visible(key.id)}${writes(key) ? ", which writes now" : ""}`,
        ),
      ),
    );
    begin.disabled = its.length < 2 || targets.length === 0;
    note.textContent =
      its.length < 2
        ? `${visible(place.bucket)} has one key, so there is no other to rotate to. A dry run tells what is under it.`
        : targets.length === 0
          ? `None of the keys of ${visible(place.bucket)} may write now: their dates do not allow it.`
          : "";
    note.hidden = note.textContent === "";
  }
  const acting = (act: (wanted: Wanted) => Promise<void>) => async () => {
    said.replaceChildren();
    try {
      await act({
        bucket: placeNow().bucket,
        ...(prefix.value && { prefix: prefix.value }),
        ...(from.value && { from: from.value }),
        ...(to.value && { to: to.value }),
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
    note,
    h("div", { class: "actions start" }, count, begin),
    said,
  );
  const submitted = acting(dryRun);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void submitted();
  });
  fill();
  return form;
}

const field = (label: string, control: HTMLElement): HTMLLabelElement =>
  h("label", { class: "field" }, h("span", {}, label), control);

/** @param found what a dry run has found, as `12 objects` */
export async function mayRotate(wanted: Wanted, found?: string): Promise<boolean> {
  const { from, to = "the key that writes", encryptPlain } = wanted;
  const name = visible(nameOfRotation(wanted));
  const under = from === undefined ? "any other of its keys" : visible(from);
  const { isYes } = await ask({
    title: `Rotate ${name} to ${visible(to)}?`,
    text: [
      `Every object of ${name} that is under ${under}${encryptPlain ? ", or in the clear," : ""} is written again under ${visible(to)}${found === undefined ? "" : `: ${found}, as the dry run found`}.`,
      "Its ETag and Last-Modified change, and presigned URLs for reading it end. Name, contents and metadata stay as they are; readers and writers go on meanwhile.",
      "It can be cancelled. What is rotated by then stays so.",
    ],
    yes: "Rotate",
    no: "Not now",
  });
  return isYes;
}
