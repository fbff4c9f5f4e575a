/** Files and folders that somebody drops or chooses, with the path of each. */
import type { Chosen } from "./transfers.ts";

/** Of an `<input>`; with `webkitdirectory` each file says where it lies. */
export function chosenBy({ files }: HTMLInputElement): Chosen[] {
  return Array.from(files ?? [], (file) => ({ file, path: file.webkitRelativePath || file.name }));
}

/** Of what was dropped, folders with all that is in them. */
export async function dropped({ items }: DataTransfer): Promise<Chosen[]> {
  // They can only be had before anything else is waited for. A file that is on no disk has no entry.
  const found = Array.from(items, (item) => {
    const entry = item.webkitGetAsEntry();
    if (entry) return within(entry, "");
    const file = item.getAsFile();
    return file ? [{ file, path: file.name }] : [];
  });
  return (await Promise.all(found)).flat();
}

async function within(entry: FileSystemEntry, folder: string): Promise<Chosen[]> {
  const path = folder + entry.name;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => {
      (entry as FileSystemFileEntry).file(resolve, reject);
    });
    return [{ file, path }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Chosen[] = [];
  // A browser gives a hundred at a time, and none at the end.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (some.length === 0) return found;
    for (const each of some) found.push(...(await within(each, `${path}/`)));
  }
}
