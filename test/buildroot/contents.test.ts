import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import test, { describe } from "node:test";
import { boards, defconfigOf, fakeTree, read, readKconfig, repository } from "./support/trees.ts";

/** By GStreamer plug-in of the bench image: what selects it of Buildroot's packages. What has none is always there. */
const plugins: Record<string, string | undefined> = {
  // liba52 and libdca are no packages of Buildroot's: libav decodes what they do.
  a52dec: "LIBAV",
  alsa: "BASE_PLUGIN_ALSA",
  app: "BASE_PLUGIN_APP",
  audioconvert: "BASE_PLUGIN_AUDIOCONVERT",
  audioparsers: "GOOD_PLUGIN_AUDIOPARSERS",
  audiorate: "BASE_PLUGIN_AUDIORATE",
  audioresample: "BASE_PLUGIN_AUDIORESAMPLE",
  audiotestsrc: "BASE_PLUGIN_AUDIOTESTSRC",
  avi: "GOOD_PLUGIN_AVI",
  coreelements: undefined,
  deinterlace: "GOOD_PLUGIN_DEINTERLACE",
  dtsdec: "LIBAV",
  flv: "GOOD_PLUGIN_FLV",
  id3demux: "GOOD_PLUGIN_ID3DEMUX",
  imagefreeze: "GOOD_PLUGIN_IMAGEFREEZE",
  interlace: "BAD_PLUGIN_INTERLACE",
  isomp4: "GOOD_PLUGIN_ISOMP4",
  jpeg: "GOOD_JPEG",
  jpegformat: "BAD_PLUGIN_JPEGFORMAT",
  level: "GOOD_PLUGIN_LEVEL",
  libav: "LIBAV",
  matroska: "GOOD_PLUGIN_MATROSKA",
  mpegpsdemux: "BAD_PLUGIN_MPEGDEMUX",
  mpegtsdemux: "BAD_PLUGIN_MPEGTSDEMUX",
  mpg123: "GOOD_PLUGIN_MPG123",
  opus: "BASE_PLUGIN_OPUS",
  opusparse: "BAD_PLUGIN_OPUS",
  pango: "BASE_PLUGIN_PANGO",
  playback: "BASE_PLUGIN_PLAYBACK",
  png: "GOOD_PNG",
  rawparse: "BASE_PLUGIN_RAWPARSE",
  rtp: "GOOD_PLUGIN_RTP",
  rtpmanager: "GOOD_PLUGIN_RTPMANAGER",
  subparse: "BASE_PLUGIN_SUBPARSE",
  tcp: "BASE_PLUGIN_TCP",
  timecode: "BAD_PLUGIN_TIMECODE",
  twolame: "GOOD_PLUGIN_TWOLAME",
  typefindfunctions: "BASE_PLUGIN_TYPEFIND",
  udp: "GOOD_PLUGIN_UDP",
  video4linux2: "GOOD_PLUGIN_V4L2",
  videoconvertscale: "BASE_PLUGIN_VIDEOCONVERTSCALE",
  videofilter: "GOOD_PLUGIN_VIDEOFILTER",
  videoparsersbad: "BAD_PLUGIN_VIDEOPARSERS",
  videorate: "BASE_PLUGIN_VIDEORATE",
  videotestsrc: "BASE_PLUGIN_VIDEOTESTSRC",
  volume: "BASE_PLUGIN_VOLUME",
  wavparse: "GOOD_PLUGIN_WAVPARSE",
  x264: "UGLY_PLUGIN_X264",
};

/** By Debian package of the bench image: what is in its place. What has none is always there, or is needed by Debian's alone. */
const packages: Record<string, string | undefined> = {
  "base-files": undefined,
  "base-passwd": undefined,
  bash: "BASH",
  "ca-certificates": "CA_CERTIFICATES",
  coreutils: "COREUTILS",
  dash: undefined, // Busybox
  dbus: "DBUS",
  dmsetup: undefined, // udev's rules of Debian's
  e2fsprogs: "E2FSPROGS",
  fdisk: "UTIL_LINUX_BINARIES",
  findutils: undefined, // Busybox
  "fonts-dejavu-core": "DEJAVU",
  grep: undefined, // Busybox
  "gstreamer1.0-alsa": "GST1_PLUGINS_BASE_PLUGIN_ALSA",
  "gstreamer1.0-libav": "GST1_LIBAV",
  "gstreamer1.0-plugins-bad": "GST1_PLUGINS_BAD",
  "gstreamer1.0-plugins-base": "GST1_PLUGINS_BASE",
  "gstreamer1.0-plugins-good": "GST1_PLUGINS_GOOD",
  "gstreamer1.0-plugins-ugly": "GST1_PLUGINS_UGLY",
  "gstreamer1.0-x": "GST1_PLUGINS_BASE_PLUGIN_PANGO",
  hostname: undefined, // Busybox
  "i2c-tools": "I2C_TOOLS",
  iproute2: "IPROUTE2",
  "iputils-arping": "IPUTILS",
  kmod: undefined, // of systemd
  libjansson4: "JANSSON",
  "libnss-resolve": "SYSTEMD_RESOLVED",
  "libnss-systemd": undefined,
  "libpam-systemd": undefined,
  libsamplerate0: "LIBSAMPLERATE",
  "libsrt1.5-openssl": undefined, // BR2_PACKAGE_STEADYCAST_MEDIA_SRT
  "libstdc++6": undefined,
  "libubootenv-tool": "LIBUBOOTENV",
  login: undefined,
  mawk: undefined, // Busybox
  mount: undefined, // of systemd
  nftables: "NFTABLES",
  "openssh-server": "OPENSSH",
  openssl: "LIBOPENSSL_BIN",
  passwd: undefined,
  polkitd: "POLKIT",
  procps: undefined, // Busybox
  rauc: "RAUC",
  "rauc-service": "RAUC_DBUS",
  sed: undefined, // Busybox
  systemd: "SYSTEMD_LOGIND",
  "systemd-resolved": "SYSTEMD_RESOLVED",
  "systemd-sysv": undefined,
  "systemd-timesyncd": "SYSTEMD_TIMESYNCD",
  tar: "TAR",
  tzdata: undefined, // BR2_TARGET_TZ_INFO
  udev: undefined, // of systemd
  "util-linux": "UTIL_LINUX_BINARIES",
  "v4l-utils": "LIBV4L_UTILS",
  zstd: "ZSTD",
};

/** By what has them of Buildroot's (one of them is enough): programs that the scripts of the box run. */
const programs: Record<string, string> = {
  BUSYBOX: "grep sed",
  COREUTILS:
    "basename cat chmod chown cp cut date dd dirname head mkdir mktemp mv paste realpath rm rmdir sha256sum sleep " +
    "sort stat sync timeout tr",
  E2FSPROGS: "e2fsck e2label mke2fs",
  LIBUBOOTENV: "fw_printenv fw_setenv",
  "NODEJS STEADYCAST_NODE_NPM": "node",
  OPENSSH_KEY_UTILS: "ssh-keygen",
  RAUC: "rauc",
  SYSTEMD: "systemctl udevadm",
  UTIL_LINUX_BINARIES: "blkdiscard blkid blockdev lsblk sfdisk",
  UTIL_LINUX_MOUNT: "mount umount",
  UTIL_LINUX_PARTX: "partx",
};

/** What a shell knows by itself. */
const builtins = new Set(
  (
    "break case continue do done echo elif else esac exec exit false fi for if in kill local printf read return set " +
    "shift then trap true until while"
  ).split(" "),
);

/** Programs that the scripts in rootfs/usr/lib/steadycast run: the words where a command may begin. */
function programsOfScripts(): string[] {
  const folder = join(repository, "rootfs/usr/lib/steadycast");
  const texts = readdirSync(folder)
    .map((file) => read("rootfs/usr/lib/steadycast", file))
    .filter((text) => /^#!|^# To be sourced/.test(text));
  const functions = new Set(texts.flatMap((text) => [...text.matchAll(/^(\w+)\(\)/gm)].map(([, name]) => name)));
  const begin = /(^|[;|&{]|\$\((?!\())[ \t]*/;
  const before = /(?:(?:if|elif|while|until|then|do|else|!|\{)[ \t]+)*(?:\w+=[^\s"]*[ \t]+)*/;
  const command = new RegExp(`${begin.source}${before.source}([a-z][\\w-]*)(?![\\w=(-])(\\)?)`, "gm");
  const found = texts.flatMap((text) => {
    const code = text
      .replaceAll(/(^|\s)#.*/gm, "$1")
      .replaceAll(/'[^']*'/g, "''")
      .replaceAll(/\$\{[^{}]*\}/g, "$x")
      .replaceAll(/\btimeout \d+ /g, "timeout; ");
    // What ends with a bracket that has not been opened there is a pattern of `case`.
    return [...code.matchAll(command)].flatMap(([, at, word = "", end]) => (end === ")" && at !== "$(" ? [] : [word]));
  });
  return [...new Set(found)].filter((word) => !builtins.has(word) && !functions.has(word)).toSorted();
}

/** Names of a list of firmware/disk. */
const namesOf = (text: string): string[] => text.split("\n").filter((line) => /^[a-z0-9]/.test(line));

describe("images of Buildroot have what the bench image has", () => {
  /** Everything that our packages select, without BR2_PACKAGE_. */
  function selected(context: Parameters<typeof fakeTree>[0]): Set<string> {
    const { symbols } = readKconfig(fakeTree(context, "vendor", "2026.05"));
    const ours = Object.entries(symbols).filter(([name]) => name.startsWith("BR2_PACKAGE_STEADYCAST"));
    return new Set(ours.flatMap(([, symbol]) => symbol.selects.map(([target]) => target.replace("BR2_PACKAGE_", ""))));
  }

  test("its GStreamer plug-ins", (context) => {
    const names = namesOf(read("firmware/disk/gstreamer.txt"));
    assert.ok(names.length > 40);
    const all = selected(context);
    for (const name of names) {
      assert.ok(name in plugins, `which of Buildroot's options is ${name}?`);
      const option = plugins[name];
      const symbol = option === "LIBAV" || option === undefined ? `GST1_${option ?? ""}` : `GST1_PLUGINS_${option}`;
      assert.ok(option === undefined || all.has(symbol), `${name}: ${symbol}`);
    }
    const wanted = new Set(names.map((name) => `GST1_PLUGINS_${plugins[name] ?? ""}`));
    const more = [...all].filter((name) => /^GST1_PLUGINS_\w+_(PLUGIN_|JPEG|PNG)/.test(name) && !wanted.has(name));
    assert.deepEqual(more, [], "the bench image does without");
  });

  test("its packages", (context) => {
    const text = read("firmware/disk/packages.txt");
    const names = namesOf(text.slice(text.indexOf("\n[box]"), text.indexOf("\n[sysroot]")));
    assert.ok(names.length > 40);
    const all = selected(context);
    for (const name of names) {
      assert.ok(name in packages, `which of Buildroot's packages is ${name}?`);
      const option = packages[name];
      assert.ok(option === undefined || all.has(option), `${name}: BR2_PACKAGE_${option ?? ""}`);
    }
  });

  test("its Node.js: with ICU, for Intl and for Unicode in regular expressions", (context) => {
    const { symbols } = readKconfig(fakeTree(context, "upstream", "2026.05"));
    const builders = Object.values(symbols)
      .map(({ selects }) => selects.map(([target]) => target))
      .filter((targets) => targets.includes("BR2_PACKAGE_NODEJS"));
    assert.equal(builders.length, 1);
    for (const targets of builders) assert.ok(targets.includes("BR2_PACKAGE_ICU"), targets.join(" "));
  });

  test("every program that the scripts of the box run", (context) => {
    const named = programsOfScripts();
    assert.deepEqual(Object.values(programs).join(" ").split(" ").toSorted(), named);
    for (const board of boards) {
      const defconfig = defconfigOf(board);
      const tree = fakeTree(context, board.startsWith("rk") ? "vendor" : "upstream", "2026.05");
      const config = readKconfig(tree, defconfig).loaded[defconfig]?.config ?? "";
      for (const [options, words] of Object.entries(programs)) {
        const has = options.split(" ").some((option) => config.includes(`BR2_PACKAGE_${option}=y\n`));
        assert.ok(has, `${board} has none of ${options}, and no ${words}`);
      }
    }
  });
});
