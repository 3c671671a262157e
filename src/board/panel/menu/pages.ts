/** The pages of the box itself: channels, inputs, alarms, network, firmware and orders. */
import { Draft, locate, type Way } from "./document.ts";
import { CURRENT, currentValue, type Site } from "./editPages.ts";
import type { Answer, ChannelFacts, InputFacts } from "./host.ts";
import { type Item, ListPage, Menus, message, type Navigator, type Page, question } from "./page.ts";
import { blank, type List, settingAt } from "./settings.ts";
import { openDraft, SettingsPage } from "./settingsPages.ts";
import { type Language, languageNames } from "./texts.ts";

/** The status of every channel, and the way into the menu. */
export class HomePage extends ListPage {
  readonly #site: Site;
  readonly #locked: () => boolean;

  constructor(site: Site, locked: () => boolean) {
    super(site.nav);
    this.#site = site;
    this.#locked = locked;
  }

  protected override title(): string {
    const { texts, host } = this.nav;
    const { name } = host.configuration().box;
    return this.#locked() ? `${name} (${texts.locked})` : name;
  }

  protected override items(): readonly Item[] {
    const { texts, host } = this.nav;
    const channels = host.channels().map((channel): Item => {
      const value = [texts.states[channel.state], ...(channel.bitrate > 0 ? [bitrate(channel.bitrate)] : [])].join(" ");
      const text = channel.input === "" ? channel.name : `${channel.name}: ${channel.input}`;
      return {
        id: `channel ${channel.id}`,
        text,
        value,
        open: () => this.nav.open(channelPage(this.#site, channel.id)),
      };
    });
    const alarms = host.alarms().length;
    const count = alarms === 0 ? [] : [{ ...alarmsRow(this.nav), value: String(alarms) }];
    return [...channels, ...count, { id: "menu", text: texts.menu, open: () => this.nav.open(mainMenu(this.#site)) }];
  }
}

function mainMenu(site: Site): Page {
  const { nav, root } = site;
  const items = (): Item[] => [
    { text: nav.texts.inputs, open: () => nav.open(inputsPage(site)) },
    alarmsRow(nav),
    { text: nav.texts.settings, open: () => nav.open(new SettingsPage(site, root, [])) },
    { text: nav.texts.network, open: () => nav.open(networkPage(nav)) },
    { text: nav.texts.language, open: () => nav.open(languagePage(site)) },
    { text: nav.texts.firmware, open: () => nav.open(firmwarePage(nav)) },
    { text: nav.texts.about, open: () => nav.open(aboutPage(nav)) },
    { text: nav.texts.findMe, open: () => nav.wait(nav.host.findMe(), () => nav.open(blinking(nav))) },
    { text: nav.texts.reboot, open: () => nav.open(rebootPage(nav)) },
    { text: nav.texts.resetPassword, open: () => nav.open(passwordPage(nav)) },
    { text: nav.texts.factoryReset, open: () => nav.open(resetPage(nav)) },
  ];
  return new Menus(nav, () => nav.texts.menu, items);
}

function channelPage(site: Site, id: string): Page {
  const { nav } = site;
  const way: Way = ["channels", { key: "id", is: id }];
  const facts = () => nav.host.channels().find((channel) => channel.id === id);
  const items = (): Item[] => {
    const channel = facts();
    if (channel === undefined) return [];
    return [
      { text: nav.texts.state, value: nav.texts.states[channel.state] },
      { text: nav.texts.input, value: channel.input === "" ? nav.texts.none : channel.input },
      { text: nav.texts.bitrate, value: bitrate(channel.bitrate) },
      ...channel.faults.map((text) => ({ text })),
      startOrStop(site, channel, way),
      { text: nav.texts.preset, open: () => nav.open(presetsPage(nav, id, () => nav.backTo(page))) },
      { text: nav.texts.settings, open: () => openEntry(site, "channels", way) },
    ];
  };
  const exists = () => facts() !== undefined && locate(site.document.get(), way) !== undefined;
  const page: Page = new Menus(nav, () => facts()?.name ?? "", items, { exists });
  return page;
}

/** What a preset does to a channel on air is said first. */
function presetsPage(nav: Navigator, channel: string, done: () => void): Page {
  const { yes, no, preset, effects } = nav.texts;
  const items = () =>
    nav.host.presets().map(({ id, name }): Item => {
      const go = () => nav.wait(nav.host.applyPreset(channel, id), done);
      const ask = () => nav.open(question(nav, name, [effects.encoder], { yes, no, first: "no" }, go));
      return { id, text: name, open: ask };
    });
  return new Menus(nav, () => preset, items);
}

/** Taking a channel off air is asked about first. */
function startOrStop(site: Site, channel: ChannelFacts, way: Way): Item {
  const { nav, document } = site;
  const enabled = currentValue(site, [...way, "enabled"]) === true;
  const set = () => nav.wait(document.set([...way, "enabled"], !enabled), () => {});
  if (!enabled) return { id: "switch", text: nav.texts.start, open: set };
  const answers = { yes: nav.texts.yes, no: nav.texts.no, first: "no" } as const;
  const ask = () => nav.open(question(nav, `${nav.texts.stop}: ${channel.name}`, [], answers, set));
  return { id: "switch", text: nav.texts.stop, open: ask };
}

function inputsPage(site: Site): Page {
  const { nav } = site;
  const items = () =>
    nav.host.inputs().map((input): Item => {
      return { id: input.id, text: input.label, value: input.signal, open: () => nav.open(inputPage(site, input)) };
    });
  return new Menus(nav, () => nav.texts.inputs, items);
}

function inputPage(site: Site, { id, label }: InputFacts): Page {
  const { nav } = site;
  const facts = () => nav.host.inputs().find((input) => input.id === id);
  const items = (): Item[] => [
    { text: nav.texts.signal, value: facts()?.signal ?? nav.texts.none },
    { text: nav.texts.settings, open: () => openInput(site, id, page) },
  ];
  const page: Page = new Menus(nav, () => label, items, { exists: () => facts() !== undefined });
  return page;
}

/** The settings of an input; one that has none yet gets them when they are applied. */
function openInput(site: Site, connector: string, page: Page): void {
  const { nav, document } = site;
  const way: Way = ["inputs", { key: "connector", is: connector }];
  if (locate(document.get(), way) !== undefined) {
    openEntry(site, "inputs", way);
    return;
  }
  const list = listAt(site, "inputs");
  const draft = new Draft(document, ["inputs"], true, { ...(blank(list.entry.schema) as object), connector });
  openDraft(site, list.entry, draft, list, () => nav.backTo(page));
}

/** The settings of an entry of one of the document's own lists. */
function openEntry(site: Site, key: "channels" | "inputs", way: Way): void {
  const list = listAt(site, key);
  site.nav.open(new SettingsPage(site, list.entry, way, { list }));
}

function listAt({ root, document }: Site, key: "channels" | "inputs"): List {
  return settingAt(root, document.get(), [key]) as List;
}

function alarmsRow(nav: Navigator): Item {
  const lines = () => {
    const alarms = nav.host.alarms();
    return (alarms.length === 0 ? [nav.texts.noAlarms] : alarms).map((text) => ({ text }));
  };
  const open = () => nav.open(new Menus(nav, () => nav.texts.alarms, lines));
  return { id: "alarms", text: nav.texts.alarms, open };
}

function networkPage(nav: Navigator): Page {
  const items = (): Item[] => {
    const { addresses, gui } = nav.host.network();
    const rows = addresses.map((at) => ({ id: at.address, text: at.interface, value: at.address }));
    return [
      ...(rows.length === 0 ? [{ text: nav.texts.noNetwork }] : rows),
      ...(gui === undefined ? [] : [{ text: "GUI", value: gui }]),
    ];
  };
  return new Menus(nav, () => nav.texts.network, items);
}

function firmwarePage(nav: Navigator): Page {
  const items = (): Item[] => {
    const { version, slot } = nav.host.device();
    return [
      { text: nav.texts.version, value: version },
      { text: nav.texts.slot, value: slot },
    ];
  };
  return new Menus(nav, () => nav.texts.firmware, items);
}

function aboutPage(nav: Navigator): Page {
  const gui = () => nav.host.network().gui;
  const items = (): Item[] => [
    { text: "Steadycast", value: nav.host.device().version },
    { text: nav.texts.serial, value: nav.host.device().serial },
    { text: "GUI", value: gui() ?? nav.texts.noNetwork },
  ];
  return new Menus(nav, () => nav.texts.about, items, { qr: gui });
}

/** A short way to the panel's language, by the languages' own names: who can't read the menu finds it. */
function languagePage(site: Site): Page {
  const { nav, document } = site;
  const way: Way = ["panel", "language"];
  const items = () =>
    (Object.entries(languageNames) as [Language, string][]).map(([language, text]): Item => {
      const open = () => nav.wait(document.set(way, language), () => nav.close(page));
      const current = nav.host.configuration().panel.language === language;
      return { text, ...(current ? { value: CURRENT } : {}), open };
    });
  const page: Page = new Menus(nav, () => nav.texts.language, items, {
    selected: languageNames[nav.host.configuration().panel.language],
  });
  return page;
}

const blinking = (nav: Navigator): Page => message(nav, nav.texts.findMe, [nav.texts.blinking]);

function rebootPage(nav: Navigator): Page {
  const answers = { yes: nav.texts.yes, no: nav.texts.no, first: "no" } as const;
  const go = () => nav.wait(nav.host.reboot(), () => nav.open(message(nav, nav.texts.reboot, [nav.texts.wait])));
  return question(nav, nav.texts.reboot, [], answers, go);
}

/** Who stands before the box may have it: that is what the panel's PIN is for. */
function passwordPage(nav: Navigator): Page {
  const { resetPassword, passwordLost, newPassword, yes, no } = nav.texts;
  const go = () => {
    let shown: readonly string[] = [];
    const done = nav.host.resetPassword().then((result): Answer => {
      if (!("user" in result)) return result;
      shown = [`${newPassword} ${result.user}`, result.password];
      return "done";
    });
    nav.wait(done, () => nav.open(message(nav, resetPassword, [...shown], { secret: true })));
  };
  return question(nav, resetPassword, [passwordLost], { yes, no, first: "no" }, go);
}

/** Two questions, each with No first. */
function resetPage(nav: Navigator): Page {
  const answers = { yes: nav.texts.yes, no: nav.texts.no, first: "no" } as const;
  const { factoryReset, allLost, reallyReset, wait } = nav.texts;
  const go = () => nav.wait(nav.host.factoryReset(), () => nav.open(message(nav, factoryReset, [wait])));
  const second = () => nav.open(question(nav, reallyReset, [allLost], answers, go));
  return question(nav, factoryReset, [allLost], answers, second);
}

/** bit/s in Mbit/s, as on the meter of a modulator. */
function bitrate(value: number): string {
  return `${(value / 1e6).toFixed(value < 1e7 ? 2 : 1)} Mbit/s`;
}
