/** Keys such as nobody would choose, and somebody has: each is another object, and an HTTP client can ask for it. */

const PIECES = [
  "a b",
  " ",
  "+",
  "%2e%2e",
  "%",
  "%zz",
  "&=?#",
  "'()*!",
  '"<>`',
  "\\",
  "...",
  "ü",
  "e\u0301",
  "\u0085",
  "\u2028",
  "日本",
  "☃",
  "🦀",
  "\u{10ffff}",
  "\uffee",
  "\u0001",
  "\t",
  "\n",
  "\x7f",
  "~",
  ";:@$,",
  "[]{}|^",
  "COM1",
  "__proto__",
];

/** The i-th name; some of them have empty segments, some are long. */
export function oddName(i: number): string {
  const piece = (n: number) => PIECES[n % PIECES.length] ?? "";
  const [a, b] = [piece(i), piece(Math.floor(i / PIECES.length))];
  const name = `${a}${i.toString(36)}${i % 5 === 0 ? "/" : ""}${i % 35 === 0 ? "/" : ""}${b}`;
  return i % 997 === 0 ? name + "l".repeat(1024 - Buffer.byteLength(name)) : name;
}
