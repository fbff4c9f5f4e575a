/** The configuration that the black-box suite runs against. */
import { randomBytes } from "node:crypto";

const key = (bytes = 32) => randomBytes(bytes).toString("base64");
const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);

/** Secrets that are no keys, and what the operator is told of each. */
export const BAD_KEYS = {
  newline: { value: `${key()}\n`, reason: /ends in a newline/ },
  base64url: { value: `-_${key().slice(2).replace(/[+/]/g, "A")}`, reason: /is base64url/ },
  hex: { value: randomBytes(32).toString("hex"), reason: /is hexadecimal/ },
  unpadded: { value: key().slice(0, -1), reason: /lacks its padding/ },
  short: { value: key(16), reason: /is 16 bytes long/ },
  "one-short": { value: key(31), reason: /is 31 bytes long/ },
  "one-long": { value: key(33), reason: /is 33 bytes long/ },
  // The last digit's two spare bits are set.
  "not-canonical": { value: `${randomBytes(30).toString("base64")}AAB=`, reason: /is not canonical/ },
  empty: { value: "", reason: /is empty/ },
  unbound: { value: undefined, reason: /is not bound/ },
} as const;

const secretOf = (name: string) => `BAD_${name.replaceAll("-", "_").toUpperCase()}`;

export interface Stores {
  readonly url: string;
  readonly silentUrl: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export function environment({ url, silentUrl, accessKeyId, secretAccessKey }: Stores) {
  const store = {
    region: "us-east-1",
    addressing: "path",
    accessKeyId: "STORE_ID",
    secretAccessKey: "STORE_SECRET",
  };
  const everything = ["read", "write", "delete"];
  const badNames = Object.keys(BAD_KEYS) as (keyof typeof BAD_KEYS)[];
  const buckets = {
    media: { store: "main", keys: ["k2", "k1"] },
    // The same place under other keys, as before and after a rotation.
    "media-old": { store: "main", name: "media", keys: ["k1"] },
    "media-lost": { store: "main", name: "media", keys: ["k3"] },
    "media-both": { store: "main", name: "media", keys: ["bad-short", "k1"] },
    vault: { store: "main", keys: ["k3"] },
    derived: { store: "main", keys: ["root"] },
    "read-only": { store: "main", name: "media", keys: ["expired", "pending"] },
    silent: { store: "silent", keys: ["k2", "k1"] },
    elsewhere: { store: "silent", keys: ["k1"] },
    ...Object.fromEntries(
      badNames.map((name) => [`bad-${name}`, { store: "main", name: "media", keys: [`bad-${name}`] }]),
    ),
  };
  const vars = {
    STORES: { main: { ...store, endpoint: url }, silent: { ...store, endpoint: silentUrl, timeLimit: 0.5 } },
    KEYS: {
      k1: { secret: "KEY_1" },
      k2: { secret: "KEY_2", notBefore: "2026-01-01" },
      k3: { secret: "KEY_3" },
      root: { secret: "KEY_ROOT", derive: true },
      expired: { secret: "KEY_1", writeUntil: day(-1) },
      pending: { secret: "KEY_2", notBefore: day(+2) },
    },
    // As a JSON string, and split off: both are ways that a table may come.
    KEYS_BAD: JSON.stringify(
      Object.fromEntries(badNames.map((name) => [`bad-${name}`, { secret: secretOf(name) }])),
    ),
    BUCKETS: buckets,
    CALLERS: {
      all: {
        token: "ALL_TOKEN",
        grants: Object.keys(buckets).map((bucket) => ({
          bucket,
          prefix: "",
          allow: everything,
          maxExpiresIn: 604_800,
        })),
      },
      limited: {
        token: "LIMITED_TOKEN",
        grants: [
          {
            bucket: "media",
            prefix: "acme/",
            allow: ["read", "write"],
            maxExpiresIn: 60,
            maxBytes: 1000,
            contentTypes: ["image/*"],
          },
        ],
      },
      reader: { token: "READER_TOKEN", grants: [{ bucket: "media", prefix: "", allow: ["read"] }] },
      admin: {
        token: "ADMIN_TOKEN",
        grants: Object.keys(buckets).map((bucket) => ({ bucket, prefix: "", allow: ["admin"] })),
      },
      // Reads what it administers.
      auditor: {
        token: "AUDITOR_TOKEN",
        grants: ["media", "media-old"].map((bucket) => ({ bucket, prefix: "", allow: ["read", "admin"] })),
      },
      // Administers one folder, and nothing else.
      "prefix-admin": {
        token: "PREFIX_ADMIN_TOKEN",
        grants: [{ bucket: "media", prefix: "acme/", allow: ["admin"] }],
      },
      unbound: { token: "NO_SUCH_TOKEN", grants: [{ bucket: "media", prefix: "", allow: everything }] },
    },
    ALLOWED_ORIGINS: ["https://app.example.com"],
  };
  const secrets: Record<string, string> = {
    STORE_ID: accessKeyId,
    STORE_SECRET: secretAccessKey,
    KEY_1: key(),
    KEY_2: key(),
    KEY_3: key(),
    KEY_ROOT: key(),
    ALL_TOKEN: randomBytes(24).toString("base64url"),
    LIMITED_TOKEN: randomBytes(24).toString("base64url"),
    READER_TOKEN: randomBytes(24).toString("base64url"),
    ADMIN_TOKEN: randomBytes(24).toString("base64url"),
    AUDITOR_TOKEN: randomBytes(24).toString("base64url"),
    PREFIX_ADMIN_TOKEN: randomBytes(24).toString("base64url"),
  };
  for (const name of badNames) {
    const { value } = BAD_KEYS[name];
    if (value !== undefined) secrets[secretOf(name)] = value;
  }
  return { vars, secrets };
}
