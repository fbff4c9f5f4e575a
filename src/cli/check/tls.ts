/** Whether the way to the store is encrypted, and by a certificate that is trusted. */
import type { Store } from "../../config/load.ts";
import { LOOPBACK } from "../../config/schema.ts";
import { DAY } from "../../time.ts";
import type { Answer } from "./http.ts";
import { bad, type Outcome, off, ok, warn } from "./report.ts";

/** A certificate is near its end so many days before. */
const CERTIFICATE_DAYS = 14;

const TLS_FAULTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "the certificate has expired: whoever runs the store must renew it.",
  CERT_NOT_YET_VALID: "the certificate is not valid yet: is this machine's clock right?",
  ERR_TLS_CERT_ALTNAME_INVALID:
    'the certificate is for another name. Is the endpoint right? Many stores have no certificate for BUCKET.host: set addressing = "path" there, if the store takes it.',
};
const UNTRUSTED =
  "the certificate is by nobody that is trusted. Neither the Worker nor clients will connect: use a certificate of a public authority. To check all the same, name the authority's file in NODE_EXTRA_CA_CERTS.";
const NO_TLS =
  "what answers there does not speak TLS as it should: are the endpoint's scheme and port right?";

export function tlsOutcome({ tls }: Answer, { name, endpoint }: Store): Outcome {
  if (tls === undefined) {
    return LOOPBACK.test(new URL(endpoint).hostname)
      ? off("plain http, to this machine itself")
      : warn(
          "plain http: whoever is on the way reads the customer keys",
          `Let STORES.${name}.endpoint begin with https:// unless the way to the store is private.`,
        );
  }
  const until = `certificate valid until ${tls.validTo.toISOString().slice(0, 10)}`;
  const days = (tls.validTo.getTime() - Date.now()) / DAY;
  if (days > CERTIFICATE_DAYS) return ok(`${tls.version}, ${until}`);
  return warn(`${tls.version}, ${until}`, "The certificate ends soon: have whoever runs the store renew it.");
}

/** @param code Node's, of the error */
export function brokenTls(code: string, { name }: Store): Outcome {
  const isAboutTrust = /SELF_SIGNED|ISSUER|UNABLE_TO_VERIFY|UNTRUSTED/.test(code);
  const meaning = TLS_FAULTS[code] ?? (isAboutTrust ? UNTRUSTED : NO_TLS);
  return bad(`no trusted connection (${code})`, `STORES.${name}.endpoint: ${meaning}`);
}
