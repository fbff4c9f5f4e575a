/** What the tests in workerd use of its own modules. */
declare module "cloudflare:workers" {
  export const env: unknown;
}
declare module "cloudflare:test" {
  export function applyD1Migrations(db: unknown, migrations: unknown): Promise<void>;
}
