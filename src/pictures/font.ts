/** The font that pictures are laid out with and drawn in, on every machine the same. */
import { createRequire } from "node:module";
import { Resvg, type ResvgRenderOptions } from "@resvg/resvg-js";
import { xmlText } from "./text.ts";

const require = createRequire(import.meta.url);
const file = (style: string) => require.resolve(`@expo-google-fonts/arimo/${style}`);

const fonts = {
  loadSystemFonts: false,
  fontFiles: [file("400Regular/Arimo_400Regular.ttf"), file("700Bold/Arimo_700Bold.ttf")],
  defaultFontFamily: "Arimo",
} satisfies ResvgRenderOptions["font"];

/** Letters of other scripts than Arimo has. */
const FOREIGN =
  /[^\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Hebrew}\p{Script=Common}\p{Script=Inherited}]/u;

/** Fonts for some text: the system's are looked through only where ours lacks its letters. */
export const fontsFor = (text: string): NonNullable<ResvgRenderOptions["font"]> => ({
  ...fonts,
  loadSystemFonts: FOREIGN.test(text),
});

/** Widths of characters in ems, per weight: a picture has many labels and few letters. */
const advances = { normal: new Map<string, number>(), bold: new Map<string, number>() };
const EM = 1000;

/** Width of a line of text in pixels, without kerning, which makes it a little narrower. */
export function textWidth(text: string, fontSize: number, weight: "normal" | "bold" = "normal"): number {
  const known = advances[weight];
  let ems = 0;
  for (const letter of xmlText(text)) {
    const width = known.get(letter) ?? advance(letter, weight);
    known.set(letter, width);
    ems += width;
  }
  return ems * fontSize;
}

/** Between two bars, because only ink is measured and a space has none. */
function advance(letter: string, weight: "normal" | "bold"): number {
  return (inkWidth(`|${letter}|`, weight) - inkWidth("||", weight)) / EM;
}

function inkWidth(text: string, weight: "normal" | "bold"): number {
  const characters = [...text].map((letter) => `&#${letter.codePointAt(0) ?? 0};`).join("");
  const style = `font-family="Arimo" font-size="${EM}" font-weight="${weight}" xml:space="preserve"`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><text ${style}>${characters}</text></svg>`;
  return new Resvg(svg, { font: fonts }).getBBox()?.width ?? 0;
}
