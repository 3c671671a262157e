import assert from "node:assert/strict";
import test from "node:test";
import { glyphOf } from "../../../../src/board/panel/display/font.ts";
import { renderGraphic } from "../../../../src/board/panel/display/renderGraphic.ts";
import { renderText } from "../../../../src/board/panel/display/renderText.ts";
import type { View } from "../../../../src/board/panel/view.ts";
import { Random } from "../../../support/random.ts";
import { anyView, art, drawn } from "../support/pictures.ts";

const channels: View = {
  title: "Kanäle",
  rows: [
    { text: "HDMI 1", value: "6.0 Mbit/s" },
    { text: "HDMI 2", value: "off" },
    { text: "Größe", value: "1080p" },
    { text: "Qualité", value: "élevée" },
    { text: "Año", value: "¿2026?" },
    { text: "Reboot" },
    { text: "Language", value: "Deutsch" },
  ],
  selected: 1,
};
const network: View = {
  title: "Network",
  rows: [
    { text: "Address", value: "192.168.1.20" },
    { text: "Address of the time server", value: "pool.ntp.org" },
  ],
  selected: 0,
  cursor: 8,
};
const webPage: View = {
  title: "Web page",
  rows: [{ text: "Scan, or open" }, { text: "10.0.0.2" }],
  qr: "https://10.0.0.2/",
};

test("graphic: a list that goes on below, with letters of four languages", () => {
  assert.equal(
    art(renderGraphic(channels)).trimEnd(),
    drawn(`
  █▀███▀██████████████▀█▀███▀▀████████████████████████████████████████████████████████████████████████████████████████████████████
  █ █▀▄███▀▀▀██▀█▀▀███▀▀▀████ ████▀▀▀█████████████████████████████████████████████████████████████████████████████████████████████
  █ ▄▀████▀▀▀ █ ▄██ ██▀▀▀ ███ ███ ▀▀▀ ████████████████████████████████████████████████████████████████████████████████████████████
  █ ██▄▀█▄▀▀▀ █ ███ █▄▀▀▀ ██▀ ▀██▄▀▀▀█████████████████████████████████████████████████████████████████████████████████████████████
  ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀
   ▄   ▄ ▄▄▄   ▄   ▄  ▄▄▄          ▄                             ▄▄         ▄▄▄        ▄   ▄ ▄       ▄    ▄        ▄
   █   █ █  ▀▄ █▀▄▀█   █          ▀█                           ▄▀          █  ▄█       █▀▄▀█ █▄▄▄   ▄▄   ▄█▄▄     ▄▀  ▄▄▄▄
   █▀▀▀█ █   █ █ ▀ █   █           █                           █▀▀▀▄       █▄▀ █       █ ▀ █ █   █   █    █     ▄▀   ▀▄▄▄
   █   █ █▄▄▀  █   █  ▄█▄         ▄█▄                          ▀▄▄▄▀  ██   ▀▄▄▄▀       █   █ █▄▄▄▀  ▄█▄   ▀▄▄▀ █     ▄▄▄▄▀
  ▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄
  █ ███ █ ▄▄▀██ ▀█▀ ██▄ ▄████████▀▄▄▄▀██████████████████████████████████████████████████████████████████████████▀▄▄███▀▄▄██
  █ ▀▀▀ █ ███ █ █ █ ███ ████████████▀▄███████████████████████████████████████████████████████████████████▀▄▄▄▀█▄ ▄▄██▄ ▄▄██
  █ ███ █ ██▀▄█ ███ ███ ██████████▀▄█████████████████████████████████████████████████████████████████████ ███ ██ █████ ████
  █▄███▄█▄▄▄███▄███▄██▄▄▄████████▄▄▄▄▄████████████████████████████████████████████████████████████████████▄▄▄███▄█████▄████
    ▄▄▄         ▄ ▄   ▄▄                                                                       ▄    ▄▄▄   ▄▄▄   ▄▄▄
   █   ▀ ▄ ▄▄   ▄▄▄  █  █   ▄▄▄                                                               ▀█   █  ▄█ █   █ █  ▄█ ▄▄▄▄
   █ ▀▀█ █▀  ▀ █   █ █ ▀▀▄ █▄▄▄█                                                               █   █▄▀ █ ▄▀▀▀▄ █▄▀ █ █   █
   ▀▄▄▄█ █     ▀▄▄▄▀ █ ▄▄▀ ▀▄▄▄                                                               ▄█▄  ▀▄▄▄▀ ▀▄▄▄▀ ▀▄▄▄▀ █▀▀▀
                                                                                                                     ▀
   ▄▀▀▀▄              ▀█     ▀    █      ▄▀                                              ▄▀   ▀█                 ▄▀
   █   █ █   █  ▀▀▀▄   █    ▀█   ▀█▀▀  ▄▀▀▀▄                                           ▄▀▀▀▄   █   ▄▀▀▀▄ █   █ ▄▀▀▀▄ ▄▀▀▀▄
   █ ▀▄▀ █  ▄█ ▄▀▀▀█   █     █    █  ▄ █▀▀▀▀                                           █▀▀▀▀   █   █▀▀▀▀ ▀▄ ▄▀ █▀▀▀▀ █▀▀▀▀
    ▀▀ ▀  ▀▀ ▀  ▀▀▀▀  ▀▀▀   ▀▀▀    ▀▀   ▀▀▀                                             ▀▀▀   ▀▀▀   ▀▀▀    ▀    ▀▀▀   ▀▀▀
    ▄▄▄   ▄▄▄                                                                            ▄    ▄▄▄   ▄▄▄   ▄▄▄    ▄▄   ▄▄▄
   █   █ ▄ ▄▄   ▄▄▄                                                                      ▄   ▀   █ █  ▄█ ▀   █ ▄▀    ▀   █
   █▄▄▄█ █▀  █ █   █                                                                   ▄▀      ▄▀  █▄▀ █   ▄▀  █▀▀▀▄   ▄▀
   █   █ █   █ ▀▄▄▄▀                                                                   ▀▄▄▄▀ ▄█▄▄▄ ▀▄▄▄▀ ▄█▄▄▄ ▀▄▄▄▀   ▄

   █▀▀▀▄       █                  █
   █▄▄▄▀ ▄▀▀▀▄ █▀▀▀▄ ▄▀▀▀▄ ▄▀▀▀▄ ▀█▀▀                                                                                       ▀███▀
   █ ▀▄  █▀▀▀▀ █   █ █   █ █   █  █  ▄                                                                                        ▀
   ▀   ▀  ▀▀▀  ▀▀▀▀   ▀▀▀   ▀▀▀    ▀▀
`),
  );
});

test("graphic: the character being edited, and a value below its name", () => {
  assert.equal(
    art(renderGraphic(network)).trimEnd(),
    drawn(`
  █▀███▀████████▀██████████████████████▀██████████████████████████████████████████████████████████████████████████████████████████
  █ ▀██ ██▀▀▀██▀ ▀▀██▀███▀██▀▀▀██▀█▀▀██ ██▀███████████████████████████████████████████████████████████████████████████████████████
  █ █▄▀ █ ▀▀▀ ██ ████ █▀█ █ ███ █ ▄██▄█ ▀▄████████████████████████████████████████████████████████████████████████████████████████
  █ ███ █▄▀▀▀███▄▀▀▄█▄▀▄▀▄█▄▀▀▀▄█ █████ █▄▀███████████████████████████████████████████████████████████████████████████████████████
  ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀
  ██▀▀▀██████▀█████▀████████████████████████████████████████▀████▀▀▀███▀▀▀██████████▀█████▀▀███▀▀▀███████   ▄   ███████▀▀▀███▀▀▀██
  █ ███ ██▀▀▀ ██▀▀▀ █▀█▀▀███▀▀▀███▀▀▀▀██▀▀▀▀███████████████▄ ███ ███ █▄███ ████████▄ ███▀▄████ ███ ██████  ▀█   ██████▄███ █ ██▀ █
  █ ▀▀▀ █ ███ █ ███ █ ▄██▄█ ▀▀▀ █▄▀▀▀██▄▀▀▀█████████████████ ████▄▄▄ ███▀▄██████████ ███ ▄▄▄▀█▀▄▄▄▀██████   █   ████████▀▄██ ▀▄█ █
  █ ███ █▄▀▀▀ █▄▀▀▀ █ █████▄▀▀▀██▀▀▀▀▄█▀▀▀▀▄███████████████▀ ▀███▀▀▄██▀ ▀▀▀██  ████▀ ▀██▄▀▀▀▄█▄▀▀▀▄██  ██  ▄█▄  █  ███▀ ▀▀▀█▄▀▀▀▄█
  ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀       ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀
   ▄▀▀▀▄     █     █                                      ▄▀▀         █    █                  █      ▀
   █   █ ▄▀▀▀█ ▄▀▀▀█ █▄▀▀▄ ▄▀▀▀▄ ▄▀▀▀▀ ▄▀▀▀▀       ▄▀▀▀▄ ▀█▀▀        ▀█▀▀  █▄▀▀▄ ▄▀▀▀▄       ▀█▀▀   ▀█   █▀▄▀▄ ▄▀▀▀▄
   █▀▀▀█ █   █ █   █ █     █▀▀▀▀  ▀▀▀▄  ▀▀▀▄       █   █  █           █  ▄ █   █ █▀▀▀▀        █  ▄   █   █ █ █ █▀▀▀▀
   ▀   ▀  ▀▀▀▀  ▀▀▀▀ ▀      ▀▀▀  ▀▀▀▀  ▀▀▀▀         ▀▀▀   ▀            ▀▀  ▀   ▀  ▀▀▀          ▀▀   ▀▀▀  ▀   ▀  ▀▀▀

    ▄▄▄▄  ▄▄▄  ▄ ▄▄  ▄   ▄  ▄▄▄  ▄ ▄▄
   ▀▄▄▄  █▄▄▄█ █▀  ▀ █   █ █▄▄▄█ █▀  ▀
   ▄▄▄▄▀ ▀▄▄▄  █      ▀▄▀  ▀▄▄▄  █

                                                                             ▀█                █
                                                          █▀▀▀▄ ▄▀▀▀▄ ▄▀▀▀▄   █         █▄▀▀▄ ▀█▀▀  █▀▀▀▄       ▄▀▀▀▄ █▄▀▀▄ ▄▀▀▀█
                                                          █▄▄▄▀ █   █ █   █   █    ▄▄   █   █  █  ▄ █▄▄▄▀  ▄▄   █   █ █     ▀▄▄▄█
                                                          █      ▀▀▀   ▀▀▀   ▀▀▀   ▀▀   ▀   ▀   ▀▀  █      ▀▀    ▀▀▀  ▀      ▄▄▄▀
`),
  );
});

// Read back with a QR decoder when it was drawn.
test("graphic: a QR code beside the rows", () => {
  assert.equal(
    art(renderGraphic(webPage)).trimEnd(),
    drawn(`
  █▀███▀███████▀████████████████████████████████████████████████████████████████
  █ ███ ██▀▀▀██ ▀▀▀████████▀▀▀▀███▀▀▀███▀▀▀▀██▀▀▀███████████████████████████████
  █ █ █ █ ▀▀▀ █ ███ ███████ ███ ██▀▀▀ █ ███ █ ▀▀▀ ██████████████████████████████
  █ ▄█▄ █▄▀▀▀██ ▀▀▀▄███████ ▄▄▄██▄▀▀▀ ██▄▄▄ █▄▀▀▀███████████████████████████████▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄
  ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀ ▀▀▀▀▀▀▀▀▀▀▀▀   ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀██████████████████████████████████████████████████
    ▄▄▄▄                                                                        ████▀▀▀▀▀▀▀▀▀▀▀▀▀▀██▀▀▀▀██▀▀████▀▀▀▀▀▀▀▀▀▀▀▀▀▀████
   █      ▄▄▄   ▄▄▄  ▄ ▄▄               ▄▄▄  ▄ ▄▄                               ████  ▄▄▄▄▄▄▄▄▄▄  ██▄▄▄▄▀▀  ████  ▄▄▄▄▄▄▄▄▄▄  ████
    ▀▀▀▄ █   ▀  ▄▄▄█ █▀  █             █   █ █▀  ▀                              ████  ██▀▀▀▀▀▀██  ██▀▀██  ▄▄▀▀██  ██▀▀▀▀▀▀██  ████
   ▄▄▄▄▀ ▀▄▄▄▀ ▀▄▄▄█ █   █   █▀        ▀▄▄▄▀ █                                  ████  ██      ██  ██  ▀▀  ▀▀▄▄██  ██      ██  ████
                            ▀                                                   ████  ██      ██  ██        ▀▀██  ██      ██  ████
                                                                                ████  ██▄▄▄▄▄▄██  ██▄▄  ▄▄▄▄▄▄██  ██▄▄▄▄▄▄██  ████
   ▄▀▀▀▄ █▀▀▀▄ ▄▀▀▀▄ █▄▀▀▄                                                      ████  ▀▀▀▀▀▀▀▀▀▀  ██▀▀▄▄▀▀██▀▀██  ▀▀▀▀▀▀▀▀▀▀  ████
   █   █ █▄▄▄▀ █▀▀▀▀ █   █                                                      ████▄▄▄▄▄▄▄▄▄▄▄▄▄▄██▄▄██▄▄▀▀▄▄██▄▄▄▄▄▄▄▄▄▄▄▄▄▄████
    ▀▀▀  █      ▀▀▀  ▀   ▀                                                      ████▀▀▀▀▀▀▀▀████▀▀██▀▀██▀▀▄▄██▀▀████▀▀▀▀▀▀██▀▀████
     ▄    ▄▄▄         ▄▄▄         ▄▄▄         ▄▄▄                               ████▄▄▄▄▄▄▄▄████▄▄▀▀  ██  ▀▀██  ▀▀▀▀      ▀▀  ████
    ▀█   █  ▄█       █  ▄█       █  ▄█       ▀   █                              ████████▀▀██▀▀██▀▀▄▄  ▀▀    ██  ▄▄▄▄▄▄  ▄▄    ████
     █   █▄▀ █       █▄▀ █       █▄▀ █         ▄▀                               ████████  ▀▀  ██▄▄██▄▄  ▄▄▄▄▀▀  ██▀▀██  ██  ▄▄████
    ▄█▄  ▀▄▄▄▀  ██   ▀▄▄▄▀  ██   ▀▄▄▄▀  ██   ▄█▄▄▄                              ████▀▀▀▀    ▄▄▀▀▀▀▀▀▀▀▄▄██▀▀▄▄  ▀▀▄▄▀▀  ██▄▄▀▀████
                                                                                ████▄▄▄▄▄▄▄▄██▄▄▄▄▄▄  ██▀▀  ▀▀▄▄  ██  ▄▄████▄▄████
                                                                                ████▀▀▀▀▀▀▀▀▀▀▀▀▀▀██▄▄██  ▄▄▄▄██▄▄██  ████████████
                                                                                ████  ▄▄▄▄▄▄▄▄▄▄  ██████  ██▀▀████▀▀  ▀▀▀▀▀▀██████
                                                                                ████  ██▀▀▀▀▀▀██  ████▀▀▄▄▀▀▄▄▀▀██▄▄  ▄▄  ▄▄▀▀████
                                                                                ████  ██      ██  ██▀▀  ██  ▀▀  ██▀▀▄▄██▄▄██▄▄████
                                                                                ████  ██      ██  ██    ██▄▄  ▄▄██  ████▀▀████████
                                                                                ████  ██▄▄▄▄▄▄██  ██    ▀▀▀▀  ██▀▀  ▀▀██▄▄██▀▀████
                                                                                ████  ▀▀▀▀▀▀▀▀▀▀  ██  ▄▄▄▄    ▀▀  ▄▄  ▀▀▀▀██▄▄████
                                                                                ████▄▄▄▄▄▄▄▄▄▄▄▄▄▄██▄▄████▄▄▄▄▄▄▄▄██▄▄▄▄▄▄████████
                                                                                ██████████████████████████████████████████████████
                                                                                ▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀
`),
  );
});

test("graphic: text that no QR code of this size holds is left out", () => {
  const { qr: _, ...plain } = webPage;
  for (const length of [400, 5000]) {
    assert.equal(art(renderGraphic({ ...webPage, qr: "x".repeat(length) })), art(renderGraphic(plain)));
  }
});

test("the font has all letters of English, German, French and Spanish", () => {
  const ascii = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join("");
  const letters = "ÄÖÜäöüßÀÂÆÇÉÈÊËÎÏÔŒÙÛÜŸàâæçéèêëîïôœùûüÿÁÉÍÓÚÑáéíóúñ¿¡«»°µ·–…’€";
  const looks = new Set<string>();
  for (const character of ascii + letters) {
    const glyph = glyphOf(character);
    assert.equal(glyph?.length, 8, character);
    assert.ok(
      glyph?.every((row) => row >= 0 && row < 32),
      character,
    );
    looks.add(glyph?.join() ?? "");
  }
  // Only ’ looks like another one, '.
  assert.equal(looks.size, new Set(ascii + letters).size - 1);
  assert.equal(glyphOf("漢"), undefined);
});

const text = (view: View, columns: number, rows: number) => {
  const picture = renderText(view, columns, rows);
  return { lines: picture.lines, cursor: picture.cursor };
};

test("text: a display of two lines shows the title and the selected row", () => {
  assert.deepEqual(text(channels, 16, 2), { lines: ["Kanäle          ", ">HDMI 2     off↕"], cursor: undefined });
});

test("text: where the value does not fit beside its name, it takes the title's line", () => {
  assert.deepEqual(text({ ...channels, selected: 0 }, 16, 2).lines, [">HDMI 1         ", ">    6.0 Mbit/s↓"]);
  assert.deepEqual(text(network, 16, 2), {
    lines: [">Address        ", ">  192.168.1.20↓"],
    cursor: { row: 1, column: 11 },
  });
  assert.deepEqual(text({ ...network, selected: 1, cursor: 0 }, 16, 2), {
    lines: [">Address of th…↑", ">  pool.ntp.org "],
    cursor: { row: 1, column: 3 },
  });
});

test("text: four lines scroll so that the selected row is seen", () => {
  assert.deepEqual(text({ ...channels, selected: 0 }, 20, 4).lines, [
    "Kanäle              ",
    ">HDMI 1  6.0 Mbit/s ",
    " HDMI 2         off ",
    " Größe        1080p↓",
  ]);
  assert.deepEqual(text({ ...channels, selected: 4 }, 20, 4).lines, [
    "Kanäle              ",
    " Qualité     élevée↑",
    ">Año         ¿2026? ",
    " Reboot            ↓",
  ]);
  assert.deepEqual(text({ ...channels, selected: 6 }, 20, 4).lines, [
    "Kanäle              ",
    " Año         ¿2026?↑",
    " Reboot             ",
    ">Language   Deutsch ",
  ]);
});

test("text: a display of one line shows the selected row alone", () => {
  assert.deepEqual(text(channels, 16, 1).lines, [">HDMI 2     off↕"]);
  assert.deepEqual(text({ title: "Off", rows: [] }, 16, 1).lines, ["Off             "]);
});

test("text: a message without selection uses both lines", () => {
  const message: View = { title: "Reset", rows: [{ text: "Hold for 5 s to reset the box" }] };
  assert.deepEqual(text(message, 16, 2).lines, [" Hold for 5 s to", " reset the box  "]);
});

test("text: more strange letters than the display can draw become plain ones, but the scroll marks stay", () => {
  const view: View = { title: "ÁÉÍÓÚÀÈÌÒÙ漢", rows: [{ text: "A" }, { text: "B" }], selected: 0 };
  assert.deepEqual(text(view, 16, 2).lines, ["ÁÉÍÓÚÀÈIOU?     ", ">A             ↓"]);
  assert.deepEqual(text({ title: "ä ö ü ñ ß ° – ’", rows: [] }, 16, 2).lines[0], "ä ö ü ñ ß ° - ' ");
});

test("a long value that is edited is scrolled to its cursor, also behind its end", () => {
  const view: View = { title: "Key", rows: [{ text: "", value: "abcdefghijklmnopqrstuvwxyz" }], selected: 0 };
  assert.deepEqual(text(view, 16, 2).lines[1], ">abcdefghijklmn…");
  for (const cursor of [0, 5, 13, 25, 26]) {
    const { lines, cursor: cell } = text({ ...view, cursor }, 16, 2);
    assert.equal(lines[1]?.[cell?.column ?? -1], "abcdefghijklmnopqrstuvwxyz "[cursor], `cursor ${cursor}`);
  }
});

test("any view fills any display exactly, and its selected row is seen", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new Random(seed);
    const view = anyView(random);
    const [columns, rows] = random.pick([
      [8, 1],
      [8, 2],
      [16, 2],
      [20, 4],
      [40, 2],
    ] as const);
    const picture = renderText(view, columns, rows);
    assert.equal(picture.lines.length, rows, `seed ${seed}`);
    for (const line of picture.lines) assert.equal(line.length, columns, `seed ${seed}`);
    if (view.selected !== undefined)
      assert.ok(
        picture.lines.some((line) => line[0] === ">"),
        `seed ${seed}`,
      );
    assert.equal(picture.cursor !== undefined, view.cursor !== undefined, `seed ${seed}`);
    const graphic = renderGraphic(view, 128, random.pick([32, 64]));
    assert.equal(graphic.pixels.length, 16 * graphic.height);
  }
});
