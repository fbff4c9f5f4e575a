/** Whether two digests are the same, without an exit before the end: the time does not tell how much of them is equal. */
export function areEqual(a: Int32Array, b: Int32Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}
