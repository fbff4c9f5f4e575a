/** The form for who comes without a link. */
import { failure, h, icon } from "./dom.ts";
import { type Session, signIn } from "./session.ts";

export function signInView(onSession: (session: Session) => void, reason?: unknown): HTMLElement {
  const token = h("input", {
    ...{ id: "token", type: "password", autocomplete: "off", required: true, spellcheck: "false" },
    "aria-describedby": "token-hint",
  });
  const keeps = h("input", { type: "checkbox" });
  const said = h("div", { class: "said" });
  if (reason !== undefined) said.append(failure(reason));
  const submit = h("button", { type: "submit", class: "button primary" }, "Sign in");
  const form = h(
    "form",
    { class: "sign-in" },
    h("div", { class: "mark" }, icon("lock")),
    h("h1", {}, "Files, encrypted under your own keys"),
    h("p", { class: "hint" }, "Sign in to upload, look at and share them."),
    h("label", { for: "token" }, "Token"),
    token,
    h(
      "p",
      { class: "hint", id: "token-hint" },
      "Of a caller, or a user's JWT. `npm start` prints a link that has it.",
    ),
    h("label", { class: "tick" }, keeps, h("span", {}, "Stay signed in until this tab is closed")),
    submit,
    said,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    said.replaceChildren();
    try {
      const session = await signIn(token.value.trim());
      if (keeps.checked) session.keep(true);
      onSession(session);
    } catch (error) {
      said.replaceChildren(failure(error));
      submit.disabled = false;
      token.focus();
    }
  });
  return form;
}
