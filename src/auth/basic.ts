/** Tokens as passwords, for programs that know no other way (RFC 7617). */

/** The password of Basic, whoever its user is; undefined where there is none that a token could be. */
export function passwordOf(headers: Headers): string | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/]+)={0,2}$/i.exec(headers.get("authorization") ?? "") ?? [];
  if (encoded === undefined || encoded.length % 4 === 1) return undefined;
  return /^[^:]*:([\x21-\x7e]+)$/.exec(atob(encoded))?.[1];
}
