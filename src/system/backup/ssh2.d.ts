/** The little of ssh2 that is used. */
declare module "ssh2" {
  import type { EventEmitter } from "node:events";

  export interface ConnectConfig {
    host: string;
    port: number;
    username: string;
    password: string;
    readyTimeout: number;
    tryKeyboard: boolean;
    hostVerifier(key: Buffer): boolean;
  }

  type Done = (error?: (Error & { code?: number }) | null) => void;

  export interface SFTPWrapper extends EventEmitter {
    mkdir(path: string, done: Done): void;
    writeFile(path: string, data: Buffer, options: { mode: number }, done: Done): void;
    rename(from: string, to: string, done: Done): void;
    unlink(path: string, done: Done): void;
    ext_openssh_rename(from: string, to: string, done: Done): void;
  }

  export class Client extends EventEmitter {
    connect(config: ConnectConfig): this;
    sftp(done: (error: Error | undefined, sftp: SFTPWrapper) => void): this;
    end(): this;
    destroy(): this;
  }
}
