/** Which file an object becomes, without ever leaving the folder that it goes to. */
import { lastSegment, type ObjectName } from "./location.ts";

/** Of Windows, whatever their ending: https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file */
const DEVICES = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?$/i;
/** Of Windows: separators, drives and streams, and what it takes off a name's end. */
const NOT_ON_WINDOWS = /[<>:"|?*\\\p{Cc}]|[. ]$/u;

/**
 * The names of folders, and last of the file, that a key stands for below a folder.
 *
 * @throws when there is no such file: the name would be another one's, or lie elsewhere
 */
export function localNames(key: string, platform: NodeJS.Platform = process.platform): string[] {
  const names = key.split("/");
  for (const name of names) {
    const fault = nameFault(name, platform);
    if (fault !== undefined) throw new Error(`no file can have that name: ${fault}`);
  }
  return names;
}

/** The file's name in a folder: what comes after the key's last slash. @throws when there is no such file */
export function localName(object: ObjectName, platform: NodeJS.Platform = process.platform): string {
  const name = lastSegment(object);
  const fault = nameFault(name, platform);
  if (fault !== undefined)
    throw new Error(`no file can have the name that the key ends in (${fault}): give one`);
  return name;
}

function nameFault(name: string, platform: NodeJS.Platform): string | undefined {
  if (name === "") return "it is empty between two slashes, or at an end";
  if (name === "." || name === "..") return `"${name}" is another folder`;
  if (name.includes("\0")) return "it holds NUL";
  if (platform !== "win32") return undefined;
  if (DEVICES.test(name)) return "it is a device of Windows";
  return NOT_ON_WINDOWS.test(name) ? "Windows takes it for another" : undefined;
}
