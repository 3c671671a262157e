/**
 * The boot script's choice of the slot, in every state that it can find: the script itself, run by a shell in which
 * U-Boot's commands are functions. That U-Boot takes it the same way, boot.test.ts and update.test.ts show.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const folder = mkdtempSync(join(tmpdir(), "steadycast-slots-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The state is a file of lines here; a missing one has no valid CRC. */
const uboot = `
setenv() { name=$1; shift; eval "$name=\\$*"; }
run() { eval "command=\\$$1"; eval "$command"; }
part() {
  case $1 in
    start) setenv "$5" 10240 ;;
    number) [ -e "slots/$4" ] || return 1; setenv "$5" 3 ;;
  esac
}
virtio() {
  case $1 in
    read) [ ! -e unreadable ] ;;
    write) [ ! -e read-only ] && cp exported state ;;
  esac
}
env() {
  what=$1; shift
  case $what in
    import)
      [ -e state ] || return 1
      shift 3
      for name; do
        if line=$(grep "^$name=" state); then setenv "$name" "\${line#*=}"; fi
      done ;;
    export)
      shift 4
      : >exported
      for name; do eval "value=\\$$name"; [ -z "$value" ] || echo "$name=$value" >>exported; done ;;
  esac
}
loaded=no
load() { loaded=no; [ -e "slots/$sc_label/Image" ] && loaded=yes; [ $loaded = yes ]; }
booti() {
  [ $loaded = yes ] || { echo "booted what was not loaded"; exit 9; }
  loaded=no
  echo "boot $sc_slot: $bootargs"
  [ -e "slots/$sc_label/broken" ] || exit 0
  return 1
}
sleep() { :; }
reset() { echo reset; exit 0; }
`;
const script = join(folder, "script");
writeFileSync(
  script,
  `${uboot}\n${readFileSync("firmware/boot/qemu_aarch64.cmd", "utf8")}\n${readFileSync("firmware/boot/slots.cmd", "utf8")}\necho end\n`,
);

type SlotState = "absent" | "empty" | "broken" | "bootable";
interface Case {
  state: Record<string, string> | undefined;
  slots: { A: SlotState; B: SlotState };
  readOnly?: boolean;
  unreadable?: boolean;
}

function boot({ state, slots, readOnly = false, unreadable = false }: Case) {
  const place = mkdtempSync(join(folder, "case-"));
  const file = (name: string) => join(place, name);
  for (const [slot, has] of Object.entries(slots)) {
    const path = file(`slots/slot-${slot.toLowerCase()}`);
    if (has !== "absent") mkdirSync(path, { recursive: true });
    if (has === "bootable" || has === "broken") writeFileSync(join(path, "Image"), "");
    if (has === "broken") writeFileSync(join(path, "broken"), "");
  }
  if (readOnly) writeFileSync(file("read-only"), "");
  if (unreadable) writeFileSync(file("unreadable"), "");
  const lines = Object.entries(state ?? {}).map(([name, value]) => `${name}=${value}\n`);
  if (state !== undefined) writeFileSync(file("state"), lines.join(""));
  const { stdout, stderr, status } = spawnSync("sh", ["-eu", "-c", `set +eu; . ${script}`], {
    cwd: place,
    encoding: "utf8",
  });
  const after = existsSync(file("state")) ? readFileSync(file("state"), "utf8") : "";
  rmSync(place, { recursive: true });
  assert.equal(status, 0, `${stdout}${stderr}`);
  assert.equal(stderr, "");
  const boots = [...stdout.matchAll(/^boot ([AB]): (.*)$/gm)].map(([, slot, bootargs]) => ({ slot, bootargs }));
  const kept = Object.fromEntries(
    after
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split("=") as [string, string]),
  );
  return { stdout, boots, kept, isReset: /^reset$/m.test(stdout) };
}

const LEFT = ["0", "1", "2", "3"];
const ORDERS = ["A B", "B A", "A", "B"];
const NEW = { BOOT_ORDER: "A B", BOOT_A_LEFT: "3", BOOT_B_LEFT: "3" };

test("the first slot with attempts left and a kernel boots, with one attempt less", () => {
  const kinds: SlotState[] = ["absent", "empty", "broken", "bootable"];
  let tried = 0;
  for (const order of ORDERS) {
    for (const a of LEFT) {
      for (const b of LEFT) {
        for (const kindA of tried % 2 === 0 ? kinds : (["bootable"] as const)) {
          const slots = { A: kindA, B: kinds[tried++ % kinds.length] ?? "bootable" };
          const state = { BOOT_ORDER: order, BOOT_A_LEFT: a, BOOT_B_LEFT: b };
          const left: Record<string, number> = { A: Number(a), B: Number(b) };
          let expected: string | undefined;
          for (const slot of order.split(" ") as ("A" | "B")[]) {
            if (left[slot] === 0) continue;
            left[slot] = (left[slot] ?? 0) - 1;
            if (slots[slot] !== "bootable") continue;
            expected = slot;
            break;
          }
          const { boots, kept, isReset, stdout } = boot({ state, slots });
          const what = JSON.stringify({ state, slots, stdout });
          assert.equal(isReset, expected === undefined, what);
          if (expected === undefined) {
            assert.deepEqual(kept, NEW, what);
          } else {
            assert.equal(boots.at(-1)?.slot, expected, what);
            const counted = { BOOT_A_LEFT: String(left.A), BOOT_B_LEFT: String(left.B) };
            assert.deepEqual(kept, { BOOT_ORDER: order, ...counted }, what);
          }
        }
      }
    }
  }
  assert.ok(tried > 100);
});

test("the kernel is told its slot and the identity of the box", () => {
  const state = { ...NEW, BOOT_ORDER: "B A", MACHINE_ID: "0123456789abcdef0123456789abcdef" };
  const { boots, kept } = boot({ state, slots: { A: "bootable", B: "bootable" } });
  const words = boots[0]?.bootargs?.split(" ") ?? [];
  for (const word of ["root=PARTLABEL=slot-b", "ro", "rauc.slot=B", `systemd.machine_id=${state.MACHINE_ID}`]) {
    assert.ok(words.includes(word), word);
  }
  assert.equal(kept.MACHINE_ID, state.MACHINE_ID);
});

test("an ordered reset is told to the kernel and stays ordered, whatever becomes of the slots", () => {
  const wiped = (bootargs = "") => bootargs.split(" ").includes("steadycast.wipe=1");
  const slots = { A: "broken", B: "bootable" } as const;
  for (const state of [NEW, { ...NEW, BOOT_ORDER: "C" }, { WIPE: "1" }]) {
    const { boots, kept, stdout } = boot({ state: { ...state, WIPE: "1" }, slots });
    assert.deepEqual(
      boots.map(({ slot, bootargs }) => [slot, wiped(bootargs)]),
      [
        ["A", true],
        ["B", true],
      ],
      JSON.stringify(state),
    );
    assert.equal(kept.WIPE, "1");
    assert.match(stdout, /reset to factory settings/);
  }
  const none = boot({ state: { ...NEW, WIPE: "1" }, slots: { A: "empty", B: "empty" } });
  assert.deepEqual([none.isReset, none.kept.WIPE], [true, "1"]);
  for (const WIPE of ["0", "2", "11", "yes", "1 init=/bin/sh", '"; booti']) {
    const { boots, kept } = boot({ state: { ...NEW, WIPE }, slots });
    assert.deepEqual(
      [boots.some(({ bootargs }) => /wipe|init/.test(bootargs ?? "")), kept.WIPE],
      [false, undefined],
      WIPE,
    );
  }
});

test("a state that is damaged, senseless or cannot be read starts with A", () => {
  const slots = { A: "bootable", B: "bootable" } as const;
  const senseless: (Record<string, string> | undefined)[] = [
    undefined,
    {},
    { ...NEW, BOOT_ORDER: "C" },
    { ...NEW, BOOT_ORDER: "B B" },
    { ...NEW, BOOT_ORDER: "B; booti" },
    { ...NEW, BOOT_ORDER: "B A", BOOT_A_LEFT: "4" },
    { ...NEW, BOOT_ORDER: "B A", BOOT_B_LEFT: "-1" },
    { BOOT_ORDER: "B A", BOOT_A_LEFT: "3" },
  ];
  for (const state of senseless) {
    const { boots, kept } = boot({ state, slots });
    assert.deepEqual([boots[0]?.slot, kept], ["A", { ...NEW, BOOT_A_LEFT: "2" }], JSON.stringify(state));
  }
  const { boots } = boot({ state: { ...NEW, BOOT_ORDER: "B" }, slots, unreadable: true });
  assert.equal(boots[0]?.slot, "A");
});

test("orders that are not the state's are not taken", () => {
  const state = { ...NEW, sc_boot: "echo owned", bootcmd: "echo owned", sc_label: "slot-b" };
  const { stdout, boots } = boot({ state, slots: { A: "bootable", B: "bootable" } });
  assert.doesNotMatch(stdout, /owned/);
  assert.equal(boots[0]?.slot, "A");
});

test("a box that cannot count boots all the same", () => {
  const { boots, stdout, kept } = boot({ state: NEW, slots: { A: "bootable", B: "bootable" }, readOnly: true });
  assert.equal(boots[0]?.slot, "A");
  assert.match(stdout, /cannot be written/);
  assert.deepEqual(kept, NEW);
});
