import assert from "node:assert/strict";
import test from "node:test";
import { z } from "zod";
import { config } from "../../src/config/schema.ts";
import { completed, initial, type JsonSchema, kindOf, optionOf, placeOf, valueWords } from "../../web/schema.ts";

const schema = z.toJSONSchema(config, { io: "input" }) as JsonSchema;
const part = (...path: string[]) => path.reduce((at, step) => at?.properties?.[step] ?? {}, schema);
const links = part("network", "links").items ?? {};

/** All that a form could meet, with its path. */
function* walk(at: JsonSchema, path: string): Generator<[string, JsonSchema]> {
  yield [path, at];
  const kind = kindOf(at);
  if (kind.kind === "object") for (const [name, one] of kind.properties) yield* walk(one, `${path}/${name}`);
  if (kind.kind === "union") for (const [name, one] of kind.options) yield* walk(one, `${path}/<${name}>`);
  if (kind.kind === "list") yield* walk(kind.items, `${path}/0`);
}

test("every setting of the box has a field", () => {
  const seen = new Set<string>();
  for (const [path, one] of walk(schema, "")) {
    const kind = kindOf(one);
    seen.add(kind.kind);
    if (kind.kind === "choice") assert(kind.choices.length > 0, path);
    if (kind.kind === "union")
      assert(
        kind.options.every(([name]) => name !== ""),
        path,
      );
    if (kind.kind === "text") assert.equal(one.type ?? "string", "string", path);
  }
  assert.deepEqual([...seen].sort(), [
    "choice",
    "fixed",
    "flag",
    "list",
    "number",
    "object",
    "secret",
    "several",
    "text",
    "union",
  ]);
});

test("an empty document, completed, is what the schema itself makes of it", () => {
  for (const name of ["network", "time", "access", "ssh", "power", "backup", "panel"] as const) {
    assert.deepEqual(completed(part(name), {}), config.parse({ version: 3 })[name], name);
  }
});

test("a new port, bond or VLAN is complete, and lacks what only people know", () => {
  const union = kindOf(links);
  assert(union.kind === "union");
  for (const [type, option] of union.options) {
    const known = {
      ethernet: { name: "a0" },
      bond: { name: "a0", members: ["a1"] },
      vlan: { name: "a0", parent: "a1" },
    };
    const link = { ...(initial(option) as object), ...known[type as keyof typeof known] };
    const parsed = config.safeParse({ version: 3, network: { links: [link] } });
    assert.deepEqual(parsed.error?.issues ?? [], [], type);
    assert.deepEqual(parsed.data?.network.links[0], link, type);
  }
});

test("a value keeps what it has, and gets the defaults of its own option", () => {
  const vlan = { type: "vlan", name: "v7", parent: "eth0", id: 7, ipv4: { method: "off" } };
  const whole = completed(links, vlan) as Record<string, unknown>;
  assert.equal(whole.id, 7);
  assert.equal((whole.ipv4 as { method: string }).method, "off");
  assert.equal((whole.ipv4 as { prefix: number }).prefix, 24);
  assert.equal("members" in whole, false);
  const union = kindOf(links);
  assert(union.kind === "union");
  assert.equal(optionOf(union, { type: "tunnel" }), undefined);
});

test("a pointer is told with labels, and entries of lists by their names", () => {
  const document = {
    network: { links: [{ type: "vlan", name: "v7" }], dnsServers: ["9.9.9.9"] },
    channels: [{ id: "one", name: "News", outputs: [{ type: "srt", id: "main" }] }],
  };
  const words = (pointer: string) => placeOf(schema, pointer, document).words.join(" › ");
  assert.equal(words("/network/links/0/ipv4/address"), "Network › Ports › v7 › IPv4 › Address");
  assert.equal(words("/network/links/0/parent"), "Network › Ports › v7 › On");
  assert.equal(words("/network/links/3/name"), "Network › Ports › no. 4 › Name");
  assert.equal(words("/network/dnsServers/0"), "Network › DNS servers › no. 1");
  assert.match(words("/channels/0/outputs/0/passphrase"), /^Channels › News › Outputs › main › \w+/);
  assert.equal(words("/nonsense/a~1b"), "Nonsense › A/b");
  assert.equal(words(""), "");
});

test("an entry that is only in one of the documents is named by that one", () => {
  const gone = { network: { links: [{ name: "eth1" }] } };
  assert.deepEqual(placeOf(schema, "/network/links/0", { network: { links: [] } }, gone).words.at(-1), "eth1");
});

test("values are told in words, with units, and secrets not at all", () => {
  assert.equal(valueWords(part("network", "mdns"), true), "yes");
  assert.equal(valueWords(part("access", "idleMinutes"), 30), "30\u00a0min");
  assert.equal(valueWords(part("backup", "passphrase"), "********"), "a secret");
  assert.equal(valueWords(part("backup", "passphrase"), ""), "empty");
  assert.equal(valueWords(part("network", "dnsServers"), ["9.9.9.9", "1.1.1.1"]), "9.9.9.9, 1.1.1.1");
  assert.equal(valueWords(part("network", "dnsServers"), []), "none");
  const link = { type: "ethernet", name: "eth1", mtu: 9000 };
  assert.equal(valueWords(links, link), "eth1 (Kind ethernet, Name eth1, MTU 9000\u00a0bytes)");
});
