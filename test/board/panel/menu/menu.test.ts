import assert from "node:assert/strict";
import test from "node:test";
import type { Answer } from "../../../../src/board/panel/menu/host.ts";
import { type Config, config } from "../../../../src/config/schema.ts";
import { Hands, twoChannels } from "./fakeHost.ts";

/** The configuration as another admin would change it. */
function changed(change: (document: Config) => void): Config {
  const document = structuredClone(twoChannels());
  change(document);
  return config.parse(document);
}

test("home, menu and the pages of the box", async () => {
  const hands = new Hands();
  hands.host.alarmLines = ["Power supply B has failed"];
  assert.deepEqual(hands.lines, [
    "Rack 7",
    "> News: HDMI 1 | on air 4.00 Mbit/s",
    "  Sports | stopped",
    "  Alarms | 1",
    "  Menu",
  ]);
  await hands.go("Menu");
  assert.deepEqual(hands.lines, [
    "Menu",
    "> Inputs",
    "  Alarms",
    "  Settings",
    "  Network",
    "  Language",
    "  Firmware",
    "  About",
    "  Find me",
    "  Reboot",
    "  New admin password",
    "  Factory reset",
  ]);
  await hands.go("Alarms");
  assert.deepEqual(hands.lines, ["Alarms", "> Power supply B has failed"]);
  hands.host.alarmLines = [];
  assert.deepEqual(hands.lines, ["Alarms", "> No alarms"]);
  await hands.press("back");
  await hands.go("Network");
  assert.deepEqual(hands.lines, ["Network", "> eth0 | 192.0.2.7/24", "  GUI | https://192.0.2.7/"]);
  await hands.press("left");
  await hands.go("Firmware");
  assert.deepEqual(hands.lines, ["Firmware", "> Version | 1.4.0", "  Slot | A"]);
  await hands.press("left");
  await hands.go("About");
  assert.deepEqual(hands.view, {
    title: "About",
    rows: [
      { text: "Steadycast", value: "1.4.0" },
      { text: "Serial number", value: "SC-0042" },
      { text: "GUI", value: "https://192.0.2.7/" },
    ],
    selected: 0,
    qr: "https://192.0.2.7/",
  });
});

test("a channel's page, its settings and an editor", async () => {
  const hands = new Hands();
  await hands.press("ok");
  assert.deepEqual(hands.lines, [
    "News",
    "> State | on air",
    "  Input | HDMI 1",
    "  Bitrate | 4.00 Mbit/s",
    "  Stop",
    "  Preset",
    "  Settings",
  ]);
  await hands.go("Settings");
  assert.deepEqual(hands.lines, [
    "News",
    "> Name | News",
    "  On air | On",
    "  Source | input",
    "  Video",
    "  Audio | 2",
    "  Loss",
    "  Transport",
    "  Outputs | 3",
    "  Remove",
  ]);
  await hands.go("Source");
  assert.deepEqual(hands.lines, ["Source", "> Type | input", "  Connector | hdmi1"]);
  await hands.press("back");
  await hands.go("Outputs", "studio");
  assert.deepEqual(hands.lines, [
    "studio",
    "> Type | srt",
    "  Enabled | On",
    "  Mode | caller",
    "  Address | 10.0.0.9",
    "  Port | 9000",
    "  Latency | 125 ms",
    "  Passphrase | ●●●●",
    "  Stream ID | -",
    "  Remove",
  ]);
  await hands.go("Latency");
  assert.deepEqual(hands.view, {
    title: "Latency",
    rows: [{ text: "Latency", value: "0125 ms" }, { text: "20 ... 8000 ms" }],
    selected: 0,
    cursor: 3,
  });
});

test("a live setting is changed at once, and back gives an edit up", async () => {
  const hands = new Hands();
  await hands.go("News: HDMI 1", "Settings", "Loss", "Hold");
  await hands.press("up", 3, "back");
  assert.equal(hands.view.title, "Loss");
  await hands.press("ok", "up", 3, "ok");
  assert.equal(hands.view.title, "Loss");
  assert.equal(hands.host.document.channels[0]?.loss.holdMs, 1003);
  assert.equal(hands.host.patches.length, 1);
});

test("what interrupts the picture is said first and can be given up", async () => {
  const hands = new Hands();
  await hands.go("News: HDMI 1", "Settings", "Video", "GOP");
  await hands.press("up", "ok");
  assert.deepEqual(hands.lines, ["GOP", "  Picture pauses briefly", "  25 frames > 26 frames", "  Back", "> Apply"]);
  await hands.press("back");
  assert.equal(hands.view.cursor, 2);
  assert.deepEqual(hands.host.patches, []);
  await hands.press("ok", "ok");
  assert.equal(hands.view.title, "Video");
  assert.equal(hands.host.document.channels[0]?.video.gop, 26);
  await hands.press("back");
  await hands.go("Transport", "Network name");
  await hands.press("up", "ok");
  assert.equal(hands.view.rows[0]?.text, "Receivers may pause briefly");
});

test("what is refused is said with limit and value, and the edit goes on", async () => {
  const hands = new Hands();
  await hands.go("News: HDMI 1", "Settings", "Video", "Bitrate");
  await hands.press("left", 3, "up", 9, "ok");
  const needed = Math.ceil((12000 + 256) * 1.1 + 50);
  assert.deepEqual(hands.lines, [
    "Not changed",
    `> Multiplex bitrate: must be at least ${needed} kbit/s for 12000 kbit/s of video with its sound and tables, is 4000`,
    ...hands.lines.slice(2),
  ]);
  await hands.press("ok");
  assert.deepEqual(hands.view.rows[0], { text: "Bitrate", value: "12000 kbit/s" });
  await hands.press("back", "back");
  await hands.go("Audio", "Audio 1", "Language");
  await hands.press("down", "down", "right", "down", "ok");
  assert.equal(hands.view.title, "Language");
});

test("a text that does not fit is refused before the box is asked, a secret without its characters", async () => {
  const hands = new Hands();
  await hands.go("Menu", "Settings", "Panel", "PIN");
  await hands.press("up", 3, "ok");
  assert.equal(hands.view.title, "Not changed");
  assert.deepEqual(hands.view.rows, [{ text: "must be 4 to 8 digits, or empty" }]);
  assert.deepEqual(hands.host.patches, []);
});

test("a secret is not taken away by one ok too many", async () => {
  const hands = new Hands();
  await hands.go("News: HDMI 1", "Settings", "Outputs", "studio", "Passphrase");
  await hands.press("ok");
  assert.deepEqual(hands.lines, ["Passphrase", "  ●●●● > -", "> Back", "  Apply"]);
  await hands.press("ok");
  assert.deepEqual(hands.host.patches, []);
  await hands.press("ok");
  await hands.go("Apply");
  const output = hands.host.document.channels[0]?.outputs[2];
  assert.equal(output?.type === "srt" && output.passphrase, "");
});

test("while a change is under way only back is a key, and its end after that is not waited for", async () => {
  const hands = new Hands();
  let finish = (_: Answer): void => {};
  hands.host.answer = () => new Promise((done) => (finish = done));
  await hands.go("News: HDMI 1", "Settings", "Loss", "Hold");
  await hands.press("up", "ok", "up", "right", "ok");
  assert.deepEqual(hands.view, { title: "Hold", rows: [{ text: "Please wait" }] });
  assert.equal(hands.host.patches.length, 1);
  await hands.press("back");
  assert.equal(hands.lines[1], "> Hold | 01001 ms");
  finish([{ pointer: "", message: "too late" }]);
  await hands.press("left");
  assert.equal(hands.view.title, "Hold");
  hands.host.answer = () => Promise.reject(new Error("The disk is full"));
  await hands.press("ok");
  assert.deepEqual(hands.lines, ["Failed", "> The disk is full"]);
});

test("an entry is filled in, then added as a whole", async () => {
  const hands = new Hands();
  await hands.go("Sports", "Settings", "Outputs", "Add", "udp");
  assert.deepEqual(hands.lines.slice(1, 4), ["> Enabled | On", "  Address | -", "  Port | -"]);
  await hands.go("Address");
  // 200.0.0.0, then 9 in the last place.
  await hands.press("up", 2, "right", 11, "down", "ok");
  await hands.go("Port");
  await hands.press("left", 3, "up", 5, "ok");
  assert.deepEqual(hands.host.patches, []);
  await hands.go("Apply");
  assert.equal(hands.view.rows[0]?.text, "Receivers may pause briefly");
  await hands.press("ok");
  assert.deepEqual(hands.lines, ["Outputs", "  output1", "> Add"]);
  const [output] = hands.host.document.channels[1]?.outputs ?? [];
  assert.equal(output?.address, "200.0.0.9");
  assert.equal(output?.port, 5001);
});

test("a word is added to an empty list, and beside others", async () => {
  const hands = new Hands();
  await hands.go("Menu", "Settings", "Network", "Search domains");
  for (const presses of [2, 3]) {
    await hands.go("Add", "Search domains");
    await hands.press("up", presses, "ok");
    await hands.go("Apply");
  }
  const { searchDomains } = hands.host.document.network;
  assert.equal(searchDomains.length, 2, hands.lines.join("\n"));
  assert.notEqual(searchDomains[0], searchDomains[1]);
});

test("an entry that lacks something is refused in words and can be completed or given up", async () => {
  const hands = new Hands();
  await hands.go("Sports", "Settings", "Outputs", "Add", "rtp", "Apply", "Apply");
  assert.deepEqual(hands.lines, ["Not changed", "> Address: is required", "  Port: is required"]);
  await hands.press("ok");
  assert.equal(hands.view.rows.at(-1)?.text, "Apply");
  await hands.press("back", "back");
  assert.deepEqual(hands.lines, ["Outputs", "> Add"]);
  assert.deepEqual(hands.host.document, twoChannels());
});

test("an entry is removed after a question that says no first", async () => {
  const hands = new Hands();
  await hands.go("News: HDMI 1", "Settings", "Audio", "Audio 1", "Remove");
  assert.deepEqual(hands.lines, ["Remove: Audio 1", "  Picture pauses briefly", "> No", "  Yes"]);
  await hands.press("ok");
  assert.equal(hands.view.title, "Audio 1");
  await hands.go("Remove", "Yes");
  assert.deepEqual(hands.lines, ["Audio", "> Audio 1", "  Add"]);
  assert.equal(hands.host.document.channels[0]?.audio[0]?.language, "deu");
});

test("another type of source is chosen first, then its settings, then applied", async () => {
  const hands = new Hands();
  await hands.go("News: HDMI 1", "Settings", "Source", "Type");
  assert.deepEqual(hands.lines, ["Type", "> input | *", "  test", "  file", "  ip", "  capture"]);
  await hands.go("test", "Pattern", "snow");
  assert.equal(hands.view.title, "Source");
  assert.deepEqual(hands.host.patches, []);
  await hands.go("Apply");
  assert.deepEqual(hands.lines.slice(0, 3), ["Source", "> Type | test", "  Pattern | snow"]);
  const source = hands.host.document.channels[0]?.source;
  assert.equal(source?.type === "test" && source.pattern, "snow");
});

test("another type keeps what the types have in common", async () => {
  const hands = new Hands();
  await hands.go("News: HDMI 1", "Settings", "Outputs", "main", "Type", "rtp", "Apply", "Apply");
  assert.deepEqual(hands.host.document.channels[0]?.outputs[0], {
    ...twoChannels().channels[0]?.outputs[0],
    type: "rtp",
  });
});

test("names that the box knows are chosen, not spelt", async () => {
  const hands = new Hands();
  await hands.go("News: HDMI 1", "Settings", "Source", "Connector");
  assert.deepEqual(hands.lines, ["Connector", "> hdmi1 | *", "  sdi1"]);
  await hands.home();
  await hands.go("News: HDMI 1", "Settings", "Outputs", "main", "Interface");
  assert.deepEqual(hands.lines, ["Interface", "> - | *", "  eth0"]);
});

test("an input without settings gets them when they are applied", async () => {
  const hands = new Hands();
  await hands.go("Menu", "Inputs");
  assert.deepEqual(hands.lines, ["Inputs", "> HDMI 1 | 1920x1080p50", "  SDI 1 | no cable"]);
  await hands.go("SDI 1", "Settings", "EDID", "4k", "Apply");
  assert.equal(hands.view.title, "SDI 1");
  assert.equal(hands.host.document.inputs[1]?.connector, "sdi1");
  assert.equal(hands.host.document.inputs[1]?.edid, "4k");
  await hands.go("Settings", "EDID", "720p");
  assert.equal(hands.host.document.inputs.length, 2);
  assert.equal(hands.host.document.inputs[1]?.edid, "720p");
});

test("a channel is stopped after a question and started at once", async () => {
  const hands = new Hands();
  await hands.go("News: HDMI 1", "Stop");
  assert.deepEqual(hands.lines, ["Stop: News", "> No", "  Yes"]);
  await hands.go("Yes");
  assert.equal(hands.host.document.channels[0]?.enabled, false);
  await hands.go("Start");
  assert.equal(hands.host.document.channels[0]?.enabled, true);
});

test("reboot asks once, factory reset twice, each with no first", async () => {
  const hands = new Hands();
  await hands.go("Menu", "Reboot");
  assert.deepEqual(hands.lines, ["Reboot", "> No", "  Yes"]);
  await hands.press("ok");
  await hands.go("Factory reset");
  assert.deepEqual(hands.lines, ["Factory reset", "  All settings are lost", "> No", "  Yes"]);
  await hands.go("Yes");
  assert.deepEqual(hands.lines, ["Really reset?", "  All settings are lost", "> No", "  Yes"]);
  await hands.press("ok");
  assert.deepEqual(hands.host.orders, []);
  await hands.go("Factory reset", "Yes", "Yes");
  await hands.home();
  await hands.go("Menu", "Reboot", "Yes");
  assert.deepEqual(hands.host.orders, ["factory reset", "reboot"]);
});

test("a preset is given to a channel after its effect was said", async () => {
  const hands = new Hands();
  await hands.go("News: HDMI 1", "Preset");
  assert.deepEqual(hands.lines, ["Preset", "> SD PAL", "  HD IPTV"]);
  await hands.go("HD IPTV");
  assert.deepEqual(hands.lines, ["HD IPTV", "  Picture pauses briefly", "> No", "  Yes"]);
  await hands.go("Yes");
  assert.deepEqual(hands.host.orders, ["hd-iptv for ch1"]);
  assert.equal(hands.view.title, "News");
});

test("a new admin password is shown at the box alone", async () => {
  const hands = new Hands();
  await hands.go("Menu", "New admin password");
  assert.deepEqual(hands.lines, ["New admin password", "  The old one is lost", "> No", "  Yes"]);
  await hands.go("Yes");
  assert.deepEqual(hands.lines, ["New admin password", "> Log in as admin", "  abcd-efgh-ijkl"]);
  assert.equal(hands.view.secret, true);
  await hands.press("back");
  assert.equal(hands.view.secret, undefined);
});

test("a channel that goes takes its pages along, the rest stays", async () => {
  const hands = new Hands();
  await hands.go("Menu", "Settings", "Channels", "Sports", "Video", "Width");
  hands.host.document = changed((document) => document.channels.splice(1));
  assert.deepEqual(hands.lines, ["Channels", "  News", "> Add"]);
});

test("a channel that moves in the list is still the one on the page", async () => {
  const hands = new Hands();
  await hands.go("Menu", "Settings", "Channels", "Sports", "Loss", "Hold");
  await hands.press("up");
  hands.host.document = changed((document) => document.channels.reverse());
  assert.equal(hands.view.rows[0]?.value, "01001 ms");
  await hands.press("ok");
  const [sports, news] = hands.host.document.channels;
  assert.deepEqual([sports?.id, sports?.loss.holdMs, news?.loss.holdMs], ["ch2", 1001, 1000]);
});

test("a source that becomes of another type closes the pages of the old one", async () => {
  const hands = new Hands();
  await hands.go("Sports", "Settings", "Source", "Width");
  hands.host.document = changed((document) => {
    document.channels[1] = { ...document.channels[1], source: { type: "file", path: "/a.ts" } } as never;
  });
  assert.deepEqual(hands.lines, ["Source", "  Type | file", "> File | /a.ts"]);
});

test("a draft whose channel goes is given up", async () => {
  const hands = new Hands();
  await hands.go("Menu", "Settings", "Channels", "Sports", "Outputs", "Add", "udp", "TTL");
  hands.host.document = changed((document) => document.channels.splice(1));
  assert.equal(hands.view.title, "Channels");
  await hands.press("back");
  assert.equal(hands.view.title, "Settings");
});

test("entries that others add in the meantime are kept", async () => {
  const hands = new Hands();
  await hands.go("News: HDMI 1", "Settings", "Audio", "Add", "Codec", "mp2");
  hands.host.document = changed((document) =>
    document.channels[0]?.audio.push({ ...document.channels[0].audio[0], language: "fra" } as never),
  );
  await hands.go("Apply", "Apply");
  const audio = hands.host.document.channels[0]?.audio.map(({ codec, language }) => `${codec} ${language}`);
  assert.deepEqual(audio, ["aac und", "aac deu", "aac fra", "mp2 und"]);
});
