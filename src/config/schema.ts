/** The shape of every table in `[vars]`. Tables hold the names of secrets, never their values. */
import * as v from "valibot";
import { MAX_EXPIRES_IN } from "../s3/api/limits.ts";
import { DAY } from "../time.ts";
import { isOriginPattern } from "./origins.ts";

/** Host names of this machine itself. */
export const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/;

const text = v.pipe(
  v.string(),
  v.nonEmpty("must not be empty"),
  // Nobody sees it in a file, and nothing would match: neither a signature's region nor a token's audience.
  v.check((given) => given.trim() === given, "must not begin or end with white space"),
);

const secretName = v.pipe(
  v.string(),
  v.regex(
    /^[A-Za-z_][A-Za-z0-9_]*$/,
    "must be the name of a bound secret (letters, digits, _), never its value",
  ),
);

const expiresIn = v.pipe(
  v.number(),
  v.integer("must be whole seconds"),
  v.minValue(1, "must be at least 1 second"),
  v.maxValue(MAX_EXPIRES_IN, `must be at most ${MAX_EXPIRES_IN} seconds (one week)`),
);

/** Seconds. More than a minute no caller waits. */
const timeLimit = v.pipe(
  v.number(),
  v.check((seconds) => seconds > 0 && seconds <= 60, "must be more than 0 and at most 60 seconds"),
);

const bytes = v.pipe(v.number(), v.integer("must be whole bytes"), v.minValue(0, "must not be negative"));

/** An ISO date or date-time in UTC, as milliseconds since the epoch. */
const instant = v.pipe(
  v.string(),
  v.regex(
    /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z)?$/,
    'must be an ISO date or date-time in UTC, as "2026-11-01" or "2026-11-01T12:00:00Z"',
  ),
  v.check(isOnTheCalendar, "is not a date on the calendar"),
  v.transform(Date.parse),
);

/** Date.parse takes 30 February for 2 March. */
function isOnTheCalendar(text: string): boolean {
  const time = Date.parse(text);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text.slice(0, 10));
}

const ADDRESSINGS = ["virtual", "path"] as const;
export type Addressing = (typeof ADDRESSINGS)[number];

/** Where a store is, and how its buckets are addressed. */
const place = {
  endpoint: v.pipe(
    v.string(),
    v.check(isUrl, 'must be a URL, as "https://cwobject.com"'),
    v.check((url) => !isUrl(url) || /^https?:$/.test(new URL(url).protocol), "must begin with https://"),
    v.check((url) => !isUrl(url) || isOrigin(url), "must be a bare origin: no path, query, fragment or user"),
    // One spelling for all who look at it: parsers of URLs take capital letters, and white space around.
    v.transform((url) => new URL(url).origin),
  ),
  region: text,
  addressing: v.optional(v.picklist(ADDRESSINGS), "virtual"),
  insecure: v.optional(v.boolean(), false),
};

const isSafe = ({ endpoint, insecure }: { endpoint: string; insecure: boolean }) =>
  insecure || isSecureOrLocal(new URL(endpoint));
const UNSAFE = "sends customer keys over plain http: use https, or say insecure = true";

export const storeTable = v.pipe(
  v.strictObject({
    ...place,
    accessKeyId: secretName,
    secretAccessKey: secretName,
    sessionToken: v.optional(secretName),
    presignedUploads: v.optional(v.boolean(), true),
    timeLimit: v.optional(timeLimit),
  }),
  v.forward(v.partialCheck([["endpoint"], ["insecure"]], isSafe, UNSAFE), ["endpoint"]),
);

/** A store and its credentials themselves, which no table holds. */
export const storeWithCredentials = v.pipe(
  v.strictObject({
    ...place,
    accessKeyId: text,
    secretAccessKey: text,
    sessionToken: v.optional(text),
  }),
  v.forward(v.partialCheck([["endpoint"], ["insecure"]], isSafe, UNSAFE), ["endpoint"]),
);

export const KEY_ID = /^[A-Za-z0-9._-]{1,64}$/;

export const keyTable = v.pipe(
  v.strictObject({
    secret: secretName,
    derive: v.optional(v.boolean(), false),
    notBefore: v.optional(instant),
    writeUntil: v.optional(instant),
  }),
  v.forward(
    v.partialCheck(
      [["notBefore"], ["writeUntil"]],
      ({ notBefore, writeUntil }) =>
        notBefore === undefined || writeUntil === undefined || notBefore < writeUntil,
      "is not after notBefore: the key could never write",
    ),
    ["writeUntil"],
  ),
);

/** A name that must stand in another table. */
const nameIn = (table: string, what: string, names: Iterable<string>) => {
  const have = [...names];
  return v.pipe(
    v.string(),
    v.check(
      (name) => have.includes(name),
      ({ input }) => `no ${what} ${JSON.stringify(input)} in ${table} (have: ${have.join(", ") || "none"})`,
    ),
  );
};

/** So many days, as "90d", in milliseconds. */
const days = v.pipe(
  v.string(),
  v.regex(/^[1-9]\d{0,3}d$/, 'must be a number of days, as "90d"'),
  v.transform((text) => Number.parseInt(text, 10) * DAY),
);

/**
 * @param table the name callers use
 * @param addressing how each store is addressed, by its name
 */
export const bucketTable = (
  table: string,
  addressing: ReadonlyMap<string, Addressing>,
  keys: Iterable<string>,
) =>
  v.pipe(
    v.strictObject({
      store: nameIn("STORES", "store", addressing.keys()),
      name: v.optional(text),
      keys: v.pipe(
        v.array(nameIn("KEYS", "key", keys)),
        v.minLength(1, "must name at least one key of KEYS"),
        v.checkItems((key, index, all) => all.indexOf(key) === index, "is in the list already"),
      ),
      rotateEvery: v.optional(days),
    }),
    v.forward(
      v.partialCheck(
        [["store"], ["name"]],
        ({ store, name = table }) => bucketNameFault(name, addressing.get(store)) === undefined,
        ({ input: { store, name = table } }) => bucketNameFault(name, addressing.get(store)) ?? "",
      ),
      ["name"],
    ),
  );

export const PERMISSIONS = ["read", "write", "delete", "admin"] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** A claim's own name, or the names on the way to it, with dots between. */
function isClaimName(name: string): boolean {
  return name.trim() === name && name.split(".").every((part) => part !== "");
}

/** A prefix in which claims may be named: `users/{sub}/`. */
const prefix = v.pipe(
  v.string(),
  v.check((text) => text.isWellFormed(), "is not well-formed Unicode"),
  v.check(
    (text) => /^([^{}]|\{[^{}]+\})*$/.test(text),
    'has a brace that names no claim: write claims as "{sub}"',
  ),
  v.check(
    (text) => [...text.matchAll(/\{([^{}]+)\}/g)].every(([, name]) => isClaimName(name as string)),
    'has a claim with nothing beside a dot, or white space around its name: write claims as "{org.id}"',
  ),
  v.check(
    (text) => !/\}[^/]*$/.test(text),
    'must have a "/" after the last claim: without it the user "4" could reach what belongs to "42"',
  ),
  v.check(
    (text) => !/\}[^/]*\{/.test(text),
    'must have a "/" between claims: without it two users could share one prefix',
  ),
);

const grantTable = (buckets: Iterable<string>) =>
  v.strictObject({
    bucket: nameIn("BUCKETS", "bucket", buckets),
    prefix,
    allow: v.pipe(v.array(v.picklist(PERMISSIONS)), v.minLength(1, "must allow something")),
    maxExpiresIn: v.optional(expiresIn, 3600),
    maxBytes: v.optional(bytes),
    contentTypes: v.optional(
      v.pipe(
        v.array(
          v.pipe(
            v.string(),
            v.regex(
              /^(\*|[\w!#$&^.+-]+)\/(\*|[\w!#$&^.+-]+)$/,
              'must be a media type, as "image/*" or "text/plain"',
            ),
          ),
        ),
        v.minLength(1, "must name at least one media type"),
      ),
    ),
  });

/** What has a field of its own, or a check. */
const CLAIMS_OF_THEIR_OWN: Readonly<Record<string, string>> = {
  iss: 'is what "issuer" is for',
  aud: 'is what "audience" is for',
  exp: "is checked anyway, against the time",
  nbf: "is checked anyway, against the time",
  iat: "is checked anyway, against the time",
};

const requiredValue = v.pipe(
  v.unknown(),
  v.check(
    (value) => ["string", "number", "boolean"].includes(typeof value),
    'must be a string, a number or a boolean; write a claim within another as "org.id" = …, in quotes',
  ),
  v.check((value) => value !== "", "must not be empty"),
  v.check(
    (value) => typeof value !== "number" || Number.isSafeInteger(value),
    "must be a safe integer: other numbers are not read exactly",
  ),
  v.transform((value) => value as string | number | boolean),
);

/** Claims, by name, and the values that they must have. */
const require = v.pipe(
  v.unknown(),
  v.check((given) => !Array.isArray(given), "must be an object"),
  // A record of valibot's leaves such names out without a word.
  v.check(
    (given) => !["__proto__", "constructor", "prototype"].some((name) => Object.hasOwn(Object(given), name)),
    "must not name a claim __proto__, constructor or prototype",
  ),
  v.record(
    v.pipe(
      v.string(),
      v.check(isClaimName, "is not a claim's name"),
      v.check(
        (name) => !Object.hasOwn(CLAIMS_OF_THEIR_OWN, name),
        ({ input }) => CLAIMS_OF_THEIR_OWN[input] ?? "",
      ),
    ),
    requiredValue,
  ),
  v.check((claims) => Object.keys(claims).length > 0, "must name a claim, or be left out"),
);

/** A caller is known by a token, or its users are by JWTs of an issuer. */
export const callerTable = (buckets: Iterable<string>) => {
  const grants = v.pipe(v.array(grantTable(buckets)), v.minLength(1, "must hold at least one grant"));
  const byToken = v.strictObject({ token: secretName, grants });
  const byJwt = v.pipe(
    v.strictObject({
      issuer: text,
      audience: v.optional(text),
      require: v.optional(require),
      jwks: jwksUrl,
      grants,
    }),
    v.forward(
      v.partialCheck(
        [["audience"], ["require"]],
        ({ audience, require }) => audience !== undefined || require !== undefined,
        'is required, unless "require" names another claim by which tokens for this Worker are known',
      ),
      ["audience"],
    ),
  );
  return v.lazy((table) => (isByJwt(table) ? byJwt : byToken));
};

function isByJwt(table: unknown): boolean {
  return typeof table === "object" && table !== null && !("token" in table) && "issuer" in table;
}

const jwksUrl = v.pipe(
  v.string(),
  v.check(isUrl, 'must be a URL, as "https://login.example.com/.well-known/jwks.json"'),
  v.check((url) => !isUrl(url) || isSecureOrLocal(new URL(url)), "must begin with https://"),
  // No request can be sent to such a URL, and the log would name it.
  v.check((url) => !isUrl(url) || !hasUser(new URL(url)), "must not hold a user or a password"),
);

function isSecureOrLocal({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || (protocol === "http:" && LOOPBACK.test(hostname));
}

/** Vars may arrive as strings, from `.dev.vars` or `--var`. */
const fromString = (input: unknown): unknown => {
  if (typeof input !== "string") return input;
  try {
    return JSON.parse(input);
  } catch {
    return input;
  }
};

export const allowedOrigins = v.pipe(
  v.unknown(),
  v.transform(fromString),
  v.array(
    v.pipe(
      v.string(),
      v.check(
        isOriginPattern,
        'must be an origin, as "https://app.example.com", without a path or a slash at the end, or "http://localhost:*"',
      ),
    ),
  ),
);

/** A host name as a browser's address bar has it, with a port where that is not the usual one. */
const HOST = /^[a-z0-9-]+(\.[a-z0-9-]+)*(:[1-9]\d{0,4})?$/;

function isHost(text: string): boolean {
  const isAsItStands = (url: string) => URL.canParse(url) && new URL(url).host === text;
  return HOST.test(text) && isAsItStands(`http://${text}`) && isAsItStands(`https://${text}`);
}

export const s3Hosts = v.pipe(
  v.unknown(),
  v.transform(fromString),
  v.array(
    v.pipe(
      v.string(),
      v.check(
        isHost,
        'must be a host name in small letters, as "s3.example.com", or with a port that is not the usual one, as "localhost:8787"',
      ),
    ),
  ),
);

export const defaultExpiresIn = v.pipe(v.unknown(), v.transform(fromString), expiresIn);

/** Whether an answer waits until its events are in the queue. */
export const auditMode = v.picklist(["strict", "relaxed"]);
export type AuditMode = v.InferOutput<typeof auditMode>;

export const auditDays = v.pipe(
  v.unknown(),
  v.transform(fromString),
  v.pipe(v.number(), v.integer("must be whole days"), v.minValue(1, "must be at least 1 day")),
);

/** A bucket's name in its store, by what the addressing can carry. */
export function bucketNameFault(name: string, addressing: Addressing = "virtual"): string | undefined {
  if (addressing === "path") {
    return /^[A-Za-z0-9][A-Za-z0-9._-]{2,254}$/.test(name)
      ? undefined
      : "is not a bucket name: 3 to 255 letters, digits, dots, underscores and hyphens";
  }
  if (/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name) && !name.startsWith("xn--")) return undefined;
  return (
    "cannot be addressed as a host name: 3 to 63 of a-z, 0-9 and - with a letter or digit at both ends, " +
    'not beginning with xn--; rename it, or set addressing = "path" where the store allows it'
  );
}

function isUrl(url: string): boolean {
  return URL.canParse(url);
}

function isOrigin(url: string): boolean {
  const { pathname, search, hash } = new URL(url);
  return pathname === "/" && `${search}${hash}` === "" && !hasUser(new URL(url)) && !/[?#]$/.test(url);
}

function hasUser({ username, password }: URL): boolean {
  return `${username}${password}` !== "";
}
