import assert from "node:assert/strict";
import test from "node:test";
import { agentWords } from "../../web/accessFormat.ts";
import { addressWords, carrierWords, fallbackWords, roleWords } from "../../web/networkFormat.ts";

const link = {
  ...{ name: "eth0", kind: "ethernet" as const, mac: "", up: true, carrier: true, mtu: 1500 },
  ...{ speed: 1e9, duplex: "full" as const, addresses: [], gateways: [], dns: [], dhcpServer: null },
  counters: {
    ...{ receivedBytes: 0, receivedPackets: 0, receiveErrors: 0, receiveDropped: 0 },
    ...{ sentBytes: 0, sentPackets: 0, sendErrors: 0, sendDropped: 0 },
  },
};

test("a link is told by what is wrong first", () => {
  assert.equal(carrierWords(link), "1 Gbit/s, full duplex");
  assert.equal(carrierWords({ ...link, speed: 1e8, duplex: "half" }), "100 Mbit/s, half duplex");
  assert.equal(carrierWords({ ...link, speed: 2.5e9, duplex: null }), "2.5 Gbit/s");
  assert.equal(carrierWords({ ...link, speed: null }), "Connected");
  assert.equal(carrierWords({ ...link, carrier: false }), "No cable");
  assert.equal(carrierWords({ ...link, up: false, carrier: null }), "Switched off");
});

test("addresses, fallback and roles in words", () => {
  assert.equal(addressWords({ address: "10.0.0.5", prefix: 24, source: "dhcp" }), "10.0.0.5/24 by DHCP");
  assert.equal(addressWords({ address: "10.0.0.5", prefix: 24, source: "unknown" }), "10.0.0.5/24");
  assert.equal(
    fallbackWords({ state: "taken", address: "10.0.0.5", by: "02:00:00:00:00:09" }),
    "not possible: 02:00:00:00:00:09 has 10.0.0.5",
  );
  assert.equal(roleWords({ management: true, streaming: true }), "management and streaming");
  assert.equal(roleWords({ management: false, streaming: false }), "not used");
});

test("a browser is known by its header, as far as it tells", () => {
  const chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
  assert.equal(agentWords(chrome), "Chrome on Linux");
  assert.equal(agentWords(`${chrome} Edg/140.0`), "Edge on Linux");
  assert.equal(agentWords("curl/8.5.0"), "curl/8.5.0");
  assert.equal(agentWords(""), "Unknown program");
});
