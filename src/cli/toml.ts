/** As much of TOML as is written here: https://toml.io/en/v1.0.0 */

/** A dot in a bare key would begin a table of its own. */
export function tomlKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key);
}

export function tomlHeader(path: readonly string[]): string {
  return `[${path.map(tomlKey).join(".")}]`;
}

/** JSON's strings are basic strings of TOML as well. */
export function tomlValue(value: string | number | boolean | readonly string[]): string {
  return typeof value === "object" ? `[${value.map(tomlValue).join(", ")}]` : JSON.stringify(value);
}
