import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test, { describe } from "node:test";
import { Ajv, type AnySchema } from "ajv";
import { licencesOf, licencesOfPackage, namesInCopyright, spdxOf } from "../../scripts/image/licences.ts";
import {
  bill,
  buildrootComponents,
  debianComponents,
  npmComponents,
  otherComponent,
} from "../../scripts/image/sbom.ts";
import { read, repository, scratch, write } from "./support/trees.ts";

/** The official schema of CycloneDX 1.6. */
function validator(): (document: string) => string {
  const folder = join(repository, "node_modules/@cyclonedx/cyclonedx-library/res/schema");
  const schema = (name: string): AnySchema =>
    JSON.parse(readFileSync(join(folder, `${name}.SNAPSHOT.schema.json`), "utf8")) as AnySchema;
  const ajv = new Ajv({ strict: false, allErrors: true });
  // Of addresses, which no bill of ours has.
  for (const format of ["iri-reference", "idn-email", "date-time", "email", "uri"]) ajv.addFormat(format, true);
  ajv.addSchema(schema("spdx"), "http://cyclonedx.org/schema/spdx.SNAPSHOT.schema.json");
  ajv.addSchema(schema("jsf-0.82"), "http://cyclonedx.org/schema/jsf-0.82.SNAPSHOT.schema.json");
  const validate = ajv.compile(schema("bom-1.6"));
  return (document) => (validate(JSON.parse(document)) ? "" : ajv.errorsText(validate.errors, { separator: "\n" }));
}

describe("names of licences", () => {
  test("Debian's, npm's and Buildroot's become SPDX's where there is one", () => {
    const names = [
      "GPL-2+",
      "GPL-2",
      "LGPL-2.1+",
      "AGPL-3+",
      "GFDL-1.3",
      "Expat",
      "BSD-3-clause",
      "Apache-2.0",
      "zlib",
      "MIT",
      "gpl-3.0-or-later",
    ];
    assert.deepEqual(names.map(spdxOf), [
      ...["GPL-2.0-or-later", "GPL-2.0-only", "LGPL-2.1-or-later", "AGPL-3.0-or-later", "GFDL-1.3-only", "MIT"],
      ...["BSD-3-Clause", "Apache-2.0", "Zlib", "MIT", "GPL-3.0-or-later"],
    ]);
    assert.equal(spdxOf("public-domain"), undefined);
    assert.deepEqual(licencesOf(["Expat", " MIT ", "odd one", ""]), [
      { license: { id: "MIT" } },
      { license: { name: "odd one" } },
    ]);
    assert.deepEqual(licencesOfPackage("(MIT OR Apache-2.0)"), [{ expression: "(MIT OR Apache-2.0)" }]);
    assert.deepEqual(licencesOfPackage(undefined), []);
  });

  test("are found in Debian's files `copyright`, of the new form and of the old", () => {
    const form =
      "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: GPL-2+ or Expat\n text\n\nLicense: BSD-3-clause\n text\n";
    assert.deepEqual(namesInCopyright(form), ["GPL-2+", "Expat", "BSD-3-clause"]);
    assert.deepEqual(namesInCopyright("see `/usr/share/common-licenses/LGPL-2.1'."), ["LGPL-2.1"]);
    assert.deepEqual(namesInCopyright("Do what you like."), ["as its file copyright says"]);
  });
});

describe("the bill of materials", () => {
  const lock = read("package-lock.json");

  test("has npm's packages that are on the box, with versions, hashes and licences, and no others", () => {
    const components = npmComponents(lock);
    const names = components.map(({ name }) => name);
    for (const name of ["koa", "zod", "preact", "i2c-bus", "@node-rs/argon2-linux-arm64-gnu", "swagger-ui-dist"]) {
      assert.ok(names.includes(name), name);
    }
    for (const name of ["typescript", "esbuild", "nan", "@node-rs/argon2-linux-x64-gnu", "ajv"])
      assert.ok(!names.includes(name), name);
    const { dependencies } = JSON.parse(read("package.json")) as { dependencies: Record<string, string> };
    for (const [name, version] of Object.entries(dependencies)) {
      assert.ok(
        components.some((each) => each.name === name && each.version === version),
        name,
      );
    }
    for (const each of components) {
      assert.ok((each.licenses ?? []).length > 0, `${each.name} has no licence`);
      assert.match(each.hashes?.[0]?.content ?? "", /^[0-9a-f]{128}$/, each.name);
    }
  });

  test("is valid, whatever it is made of, and the same for the same inputs", (context) => {
    const folder = scratch(context);
    write(join(folder, "docs/libc6/copyright"), "License: LGPL-2.1+\nLicense: public-domain\n");
    const debian = debianComponents("libc6 2.36-9+deb12u8 glibc\nnone 1:2~rc\n", join(folder, "docs"));
    assert.deepEqual(
      debian.map(({ name, version, purl }) => [name, version, purl]),
      [
        ["libc6", "2.36-9+deb12u8", "pkg:deb/debian/libc6@2.36-9%2Bdeb12u8?arch=arm64&distro=debian-12"],
        ["none", "1:2~rc", "pkg:deb/debian/none@1%3A2~rc?arch=arm64&distro=debian-12"],
      ],
    );
    const buildroot = buildrootComponents(
      JSON.stringify({
        "gst1-libav": {
          type: "target",
          name: "gst1-libav",
          virtual: false,
          version: "1.24.13",
          licenses: "GPL-2.0+, LGPL-2.1+ (one, two)",
          "cpe-id": "cpe:2.3:a:x:gst:1.24:*:*:*:*:*:*:*",
        },
        "host-gcc": { type: "host", name: "gcc", virtual: false, version: "15", licenses: "GPL" },
        rootfs: { type: "rootfs" },
        udev: { type: "target", name: "udev", virtual: true },
        bare: { type: "target", name: "bare", virtual: false, version: "", licenses: "" },
      }),
    );
    assert.deepEqual(
      buildroot.map(({ name, licenses }) => [name, licenses]),
      [
        ["gst1-libav", [{ license: { id: "GPL-2.0-or-later" } }, { license: { id: "LGPL-2.1-or-later" } }]],
        ["bare", undefined],
      ],
    );
    const components = [
      ...npmComponents(lock),
      ...debian,
      ...buildroot,
      otherComponent("linux", "6.1.1", "GPL-2.0-only"),
    ];
    const document = bill("rk3588", "0.1.0", components);
    assert.equal(validator()(document), "");
    assert.equal(bill("rk3588", "0.1.0", components.toReversed()), document);
    assert.notEqual(
      bill("rk3588", "0.1.1", components).match(/urn:uuid:\S+/)?.[0],
      document.match(/urn:uuid:\S+/)?.[0],
    );
    // That the validator is one.
    assert.notEqual(validator()(document.replace('"type": "library"', '"type": "book"')), "");
    assert.notEqual(validator()(document.replace('"id": "MIT"', '"id": "No such licence"')), "");
  });

  test("is written by the command", (context) => {
    const folder = scratch(context);
    write(join(folder, "list"), "libc6 2.36\n");
    const arguments_ = [
      "--board",
      "qemu-aarch64",
      "--version",
      "9.9.9",
      "--debian",
      join(folder, "list"),
      folder,
      "--component",
      "node",
      "20.20.2",
      "MIT",
    ];
    const run = (): string =>
      execFileSync("node", ["--import", "tsx", "scripts/image/sbom.ts", ...arguments_], {
        cwd: repository,
        encoding: "utf8",
      });
    const document = run();
    assert.equal(validator()(document), "");
    assert.match(document, /"name": "steadycast-qemu-aarch64",\s*"version": "9\.9\.9"/);
    assert.match(document, /"purl": "pkg:deb\/debian\/libc6@2\.36/);
    assert.equal(run(), document);
  });
});
