/** Sends backups over SFTP, to a server that is known by the fingerprint of its host key. */
import { createHash } from "node:crypto";
import { Client, type SFTPWrapper } from "ssh2";
import type { BackupTarget } from "../../config/schema.ts";
import { type Parcel, SEND_MS, type SendOptions, type Sent } from "./sending.ts";

type SftpTarget = Extract<BackupTarget, { type: "sftp" }>;
type Done = (error?: (Error & { code?: number }) | null) => void;

/** Status codes of SFTP (draft-ietf-secsh-filexfer-02 section 7). */
const WORDS: Record<number, string> = { 2: "there is no such folder", 3: "the user may not write there" };

/** As `ssh-keygen -l` tells it. */
export function fingerprint(key: Uint8Array): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** @param pinned fingerprint that the server must have; undefined: any, which is told. */
export function sendFile(
  target: SftpTarget,
  { name, bytes }: Parcel,
  pinned: string | undefined,
  { clock, signal }: SendOptions,
): Promise<Sent> {
  const { host, port, user, password, path } = target;
  const client = new Client();
  return new Promise<Sent>((settle) => {
    let hostKey = "";
    let foreign = false;
    const stop = (): void => fail("it was stopped");
    const end = (sent: Sent): void => {
      cancel();
      signal.removeEventListener("abort", stop);
      client.destroy();
      settle(sent);
    };
    const fail = (reason: string): void => end({ ok: false, reason });
    const cancel = clock.after(SEND_MS, () => fail(`the server took longer than ${SEND_MS / 1000} s`));
    signal.addEventListener("abort", stop);

    client.on("error", (error: Error & { level?: string; code?: string }) => {
      if (foreign) {
        const is = `the server has the host key ${hostKey}, and not ${pinned}`;
        fail(`${is}: it is another one, or somebody is in between; if it has a new key, set it in the settings`);
      } else fail(inWords(error));
    });
    client.on("close", () => fail("the server has cut the connection"));
    // Many servers ask for the password as a question.
    client.on("keyboard-interactive", (...args: unknown[]) => {
      const [, , , prompts, finish] = args as [string, string, string, unknown[], (answers: string[]) => void];
      finish(prompts.map(() => password));
    });
    client.on("ready", () => {
      client.sftp((error, sftp) => {
        if (error !== undefined) {
          fail("the server offers no SFTP");
          return;
        }
        sftp.on("error", () => fail("the connection failed"));
        store(sftp, path, name, bytes).then(
          () => end({ ok: true, hostKey }),
          (failure: Error & { code?: number }) =>
            fail(WORDS[failure.code ?? -1] ?? "the server could not store the file"),
        );
      });
    });
    client.connect({
      ...{ host, port, username: user, password, tryKeyboard: true },
      readyTimeout: SEND_MS,
      hostVerifier: (key) => {
        hostKey = fingerprint(key);
        foreign = pinned !== undefined && hostKey !== pinned;
        return !foreign;
      },
    });
  });
}

/** The file takes its name when it is whole. */
async function store(sftp: SFTPWrapper, path: string, name: string, bytes: Uint8Array): Promise<void> {
  const folder = path === "" ? "." : path.replace(/(?<=.)\/+$/, "");
  // Fails when it is there, and when it is not, writing tells.
  await call((done) => sftp.mkdir(folder, done)).catch(() => undefined);
  const [part, whole] = [`${folder}/${name}.part`, `${folder}/${name}`];
  await call((done) => sftp.writeFile(part, Buffer.from(bytes), { mode: 0o600 }, done));
  await call((done) => sftp.unlink(whole, done)).catch(() => undefined);
  await call((done) => sftp.rename(part, whole, done));
}

function call(work: (done: Done) => void): Promise<void> {
  return new Promise((done, failed) => {
    work((error) => {
      if (error === undefined || error === null) done();
      else failed(error);
    });
  });
}

function inWords({ level, code }: { level?: string; code?: string }): string {
  switch (level) {
    case "client-authentication":
      return "user or password is wrong";
    case "client-timeout":
      return "the server does not answer";
    case "client-socket": {
      const words: Record<string, string> = {
        ECONNREFUSED: "the server refuses connections",
        ENOTFOUND: "there is no such host",
        EAI_AGAIN: "the host's name cannot be looked up now",
        EHOSTUNREACH: "the host cannot be reached",
        ENETUNREACH: "the network cannot be reached",
      };
      return words[code ?? ""] ?? `the connection failed${code === undefined ? "" : ` (${code})`}`;
    }
    default:
      return "the server speaks no SSH that this box knows";
  }
}
