/** XML as stores and clients write it: what a key holds comes back as it is, whatever it is, and what is no document is refused. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { elementsOf, numberOf, parseXml, textOf, XmlError } from "../../../src/s3/store/xml.ts";

const keyIn = (inner: string) => textOf(parseXml(`<R><Key>${inner}</Key></R>`).element, "Key");

describe("a text", () => {
  test.for([
    ["white space about it", "  a \n b\t", "  a \n b\t"],
    ["zeros before a number", "007", "007"],
    ["nothing", "", ""],
    ["line ends", "a\r\nb\rc\nd", "a\r\nb\rc\nd"],
    ["line ends that only later XML has", "a\u0085b\u2028c", "a\u0085b\u2028c"],
    ["control characters", "a\0\u0001\v\u001fb", "a\0\u0001\v\u001fb"],
    ["characters for private use", "\uf8ff\ue001\uf8ff", "\uf8ff\ue001\uf8ff"],
    ["the end of a section, where there is none", "a]]>b", "a]]>b"],
    ["a section in which a carriage return is beside markup", "<![CDATA[<a>\r</a>&#1;]]>", "<a>\r</a>&#1;"],
    ["what is no character of XML", "a\uffff\ufffeb", "a\uffff\ufffeb"],
    ["references", "&#13;&#10;&#x1;&#1;&#xFFFF;&#34;&#x1F600;", '\r\n\u0001\u0001\uffff"\u{1f600}'],
    ["names of characters", "&amp;&lt;&gt;&quot;&apos;", "&<>\"'"],
    ["what would be a reference, escaped", "&amp;#38;&amp;amp;&#38;lt;", "&#38;&amp;&lt;"],
    ["a section", "<![CDATA[a<b>&amp;&#65;\r\u0001]]>", "a<b>&amp;&#65;\r\u0001"],
    ["sections beside text", "a<![CDATA[]]>b<![CDATA[&]]>&amp;", "ab&&"],
    ["comments", "a<!-- &nope; <x> \u{1f600}-->b", "ab"],
  ])("with %s is what was meant", ([, inner = "", text]) => {
    expect(keyIn(inner)).toBe(text);
  });

  test("of any characters comes back, by reference and, without those of markup, raw", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const byNumber = [...text].map((c) => `&#${c.codePointAt(0)};`).join("");
        const raw = text.replace(/[&<>]/g, (c) => `&#x${c.charCodeAt(0).toString(16)};`);
        expect([keyIn(byNumber), keyIn(raw)]).toEqual([text, text]);
      }),
    );
  });
});

test.for([
  ["nothing", ""],
  ["text alone", "a"],
  ["two roots", "<a/><b/>"],
  ["text behind the root", "<a/>b"],
  ["an element that does not end", "<a><b></a>"],
  ["half a tag", "<a"],
  ["half a section", "<a><![CDATA[b</a>"],
  ["half a comment", "<a><!-- b</a>"],
  ["an entity that only HTML has", "<a>&nbsp;</a>"],
  ["an entity without its end", "<a>&amp</a>"],
  ["an ampersand", "<a>b & c</a>"],
  ["entities that nobody has defined", "<a>&ssec-character-65;</a>"],
  ["elements that are deeper than S3's", "<a>".repeat(20) + "</a>".repeat(20)],
  ["a reference to no character", "<a>&#x110000;</a>"],
  ["a reference to half a character", "<a>&#xD800;</a>"],
  ["a document type", "<!DOCTYPE a><a/>"],
  ["entities of its own", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
  ["elements within elements without end", "<a>".repeat(1e5) + "</a>".repeat(1e5)],
])("a document of %s is refused", ([, text = ""]) => {
  expect(() => parseXml(text)).toThrow(XmlError);
});

test.for([
  ["references that do not end", `<a>${"&#".repeat(1e6)}`],
  ["sections that do not end", `<a>${"<![CDATA[".repeat(2e5)}`],
  ["comments that do not end", `<a>${"<!--".repeat(5e5)}`],
  ["tags that do not end", `<a>${"<".repeat(2e6)}`],
  ["line ends alone", `<a>${"\r".repeat(2e6)}`],
  ["a number of a million digits", `<a>&#${"9".repeat(1e6)};</a>`],
  ["declarations that do not end", "<?xml".repeat(4e5)],
  ["white space", " ".repeat(2e6)],
])("2 MB of %s are refused in no time", { timeout: 5_000 }, ([, text = ""]) => {
  expect(() => parseXml(text)).toThrow(XmlError);
});

test.for([
  ["sections full of markup", `<a><b><![CDATA[${"<".repeat(2e6)}]]></b></a>`, "<".repeat(2e6)],
  ["control characters", `<a><b>${"\x01".repeat(2e6)}</b></a>`, "\x01".repeat(2e6)],
  ["line ends, each beside a letter", `<a><b>${"x\r".repeat(1e6)}</b></a>`, "x\r".repeat(1e6)],
  ["references", `<a><b>${"&#1;".repeat(5e5)}</b></a>`, "\x01".repeat(5e5)],
])("2 MB of %s are read in a moment", { timeout: 20_000 }, ([, text = "", read]) => {
  expect(textOf(parseXml(text).element, "b") === read).toBe(true);
});

test("an answer may have spaces, a mark and a declaration before it, and line ends behind it", () => {
  for (const before of [
    "",
    "  \n",
    '\uFEFF<?xml version="1.0"?>\r\n',
    '\n\n<?xml version="1.1" ?>',
    "<!-- a -->\r\n<?b?>\r\n",
  ])
    expect(parseXml(`${before}<R><Key>a\r</Key></R>\r\n<!-- c -->\r\n`)).toMatchObject({
      name: "R",
      element: { Key: ["a\r"] },
    });
});

test("names are without their namespace, and may be those of an object's own", () => {
  const { name, element } = parseXml(
    '<s:R xmlns:s="u"><s:Key>a</s:Key><__proto__>b</__proto__><constructor>c</constructor></s:R>',
  );
  expect([
    name,
    textOf(element, "Key"),
    textOf(element, "__proto__"),
    textOf(element, "constructor"),
  ]).toEqual([...["R", "a", "b", "c"]]);
  expect([textOf(element, "toString"), textOf(parseXml("<a/>").element, "constructor")]).toEqual([
    ...[undefined, undefined],
  ]);
});

test("children are told apart: text, elements, none, several", () => {
  const { element } = parseXml(
    "<R><N> 12 </N><E><F>1</F></E><E><F>2</F><F>3</F></E><Empty/><T>a</T><T>b</T></R>",
  );
  expect(numberOf(element, "N")).toBe(12);
  expect(elementsOf(element, "E").map((each) => [textOf(each, "F"), each.F])).toEqual([
    ["1", ["1"]],
    [undefined, ["2", "3"]],
  ]);
  expect([textOf(element, "E"), textOf(element, "T"), textOf(element, "none")]).toEqual([
    ...[undefined, undefined, undefined],
  ]);
  expect([textOf(element, "Empty"), elementsOf(element, "Empty"), elementsOf(element, "T")]).toEqual([
    "",
    [],
    [],
  ]);
});
