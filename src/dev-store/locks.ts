/**
 * Object lock: what a request may ask for, and what holds a version.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
 */
import type { Store } from "./call.ts";
import { S3Error } from "./errors.ts";
import type { Lock, Retention } from "./rows.ts";
import type { Named } from "./ssec.ts";
import { type Element, malformed, text } from "./xml.ts";

export const MODES = ["GOVERNANCE", "COMPLIANCE"] as const;

/** A bucket's setting: enabled, and what its new objects get. */
export interface BucketLock {
  readonly mode?: Retention["mode"];
  readonly days?: number;
  readonly years?: number;
}

const DAY = 86_400_000;

export function bucketLock({ database }: Store, bucket: string): BucketLock | undefined {
  const setting = database.setting(bucket, "lock");
  return setting === undefined ? undefined : JSON.parse(setting);
}

/** @throws {S3Error} InvalidRequest unless the bucket has object lock */
export function requireLock(store: Store, bucket: string): BucketLock {
  const lock = bucketLock(store, bucket);
  if (lock !== undefined) return lock;
  throw new S3Error("InvalidRequest", "Bucket is missing Object Lock Configuration");
}

/** Whether a request asks for a lock itself. */
export function asksForLock(named: Named): boolean {
  return Object.keys(named).some((name) =>
    /^x-amz-object-lock-(mode|retain-until-date|legal-hold)$/.test(name),
  );
}

/** What the headers of a write ask for, or the bucket gives. @throws {S3Error} */
export function lockOf(named: Named, store: Store, bucket: string): Lock {
  const [mode, date, hold] = ["mode", "retain-until-date", "legal-hold"].map((name) =>
    named[`x-amz-object-lock-${name}`]?.toString(),
  );
  if (asksForLock(named)) requireLock(store, bucket);
  if ((mode === undefined) !== (date === undefined)) {
    throw invalid("x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied");
  }
  if (hold !== undefined && hold !== "ON" && hold !== "OFF")
    throw invalid("Legal Hold must be either of 'ON' or 'OFF'");
  const retention =
    mode !== undefined && date !== undefined
      ? {
          mode: modeNamed(mode, invalid("Unknown wormMode directive.")),
          until: future(date, store.verifier.now()),
        }
      : defaultRetention(bucketLock(store, bucket), store.verifier.now());
  return { ...(retention && { retention }), ...(hold && { hold }) };
}

function defaultRetention(lock: BucketLock | undefined, now: number): Retention | undefined {
  if (lock?.mode === undefined) return undefined;
  const until = new Date(now);
  if (lock.years !== undefined) until.setUTCFullYear(until.getUTCFullYear() + lock.years);
  return { mode: lock.mode, until: until.getTime() + (lock.days ?? 0) * DAY };
}

export function modeNamed(name: string | undefined, refusal: S3Error): Retention["mode"] {
  const mode = MODES.find((one) => one === name);
  if (mode === undefined) throw refusal;
  return mode;
}

/** An ISO date-time to come, to milliseconds. @throws {S3Error} */
export function future(date: string, now: number): number {
  const isIso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/.test(date);
  const time = isIso ? Date.parse(date) : Number.NaN;
  if (Number.isNaN(time)) throw invalid("The retain until date must be provided in ISO 8601 format");
  if (time <= now) throw invalid("The retain until date must be in the future!");
  return time;
}

/** @throws {S3Error} AccessDenied while a version may not go */
export function checkUnlocked({ retention, hold }: Lock, now: number, bypassesGovernance: boolean): void {
  const isRetained =
    retention !== undefined &&
    retention.until > now &&
    !(retention.mode === "GOVERNANCE" && bypassesGovernance);
  if (isRetained || hold === "ON")
    throw new S3Error("AccessDenied", "Access Denied because object protected by object lock.");
}

/** @throws {S3Error} AccessDenied when a retention may not be changed to another */
export function checkRetention(
  now: Retention | undefined,
  next: Retention | undefined,
  time: number,
  bypassesGovernance: boolean,
): void {
  if (now === undefined || now.until <= time) return;
  const isLonger = next !== undefined && next.until >= now.until;
  const staysAsStrict = next?.mode === now.mode || next?.mode === "COMPLIANCE";
  if (isLonger && staysAsStrict) return;
  checkUnlocked({ retention: now }, time, bypassesGovernance);
}

export function lockHeaders({ retention, hold }: Lock): Record<string, string> {
  return {
    ...(retention && {
      "x-amz-object-lock-mode": retention.mode,
      "x-amz-object-lock-retain-until-date": new Date(retention.until).toISOString(),
    }),
    ...(hold && { "x-amz-object-lock-legal-hold": hold }),
  };
}

/** The Rule of PutObjectLockConfiguration. */
export function bucketLockIn(rule: Element | undefined): BucketLock {
  if (rule === undefined) return {};
  const [mode, days, years] = ["Mode", "Days", "Years"].map((name) => text(rule, name));
  const period = days ?? years;
  if ((days === undefined) === (years === undefined)) throw malformed("a retention has Days or Years.");
  if (!/^\d{1,5}$/.test(period ?? "") || Number(period) === 0)
    throw new S3Error("InvalidRetentionPeriod", "The retention period must be a positive integer value");
  const chosen = modeNamed(mode, malformed("Mode must be GOVERNANCE or COMPLIANCE."));
  return { mode: chosen, ...(days === undefined ? { years: Number(years) } : { days: Number(days) }) };
}

function invalid(message: string): S3Error {
  return new S3Error("InvalidArgument", message);
}
