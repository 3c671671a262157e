/** `reboot`, `shutdown`, `factory-reset`. */
import { type Command, UsageError } from "../command.ts";

interface Taken {
  order: string;
  inSeconds: number;
}

export const powerCommands: readonly Command[] = [
  {
    name: "reboot",
    summary: "reboot the box; the channels go off the air meanwhile",
    run: async ({ client, output }) => {
      const taken = await client.post<Taken>("/power/reboot");
      await output.tell(taken, ({ inSeconds }) => `The box reboots in ${inSeconds} s`);
    },
  },
  {
    name: "shutdown",
    summary: "shut the box down; only its power brings it up again",
    run: async ({ client, output }) => {
      const taken = await client.post<Taken>("/power/shutdown");
      await output.tell(taken, ({ inSeconds }) => `The box shuts down in ${inSeconds} s`);
    },
  },
  {
    name: "factory-reset",
    summary: "put everything back to what a new box has; the firmware stays",
    options: {
      "keep-network": { help: "else the box may be found at another address" },
      yes: { help: "all settings, users, certificates, backups and logs may be lost" },
    },
    run: async ({ client, output, has, ask }) => {
      if (!has("yes")) throw new UsageError("All settings, users, certificates, backups and logs are lost: say --yes");
      // A program on the box is asked for no password, one elsewhere for that of its token's user.
      const password = "socketPath" in client.target ? "" : await ask("Password: ");
      const taken = await client.post<Taken | undefined>("/power/factory-reset", {
        password,
        keepNetwork: has("keep-network"),
      });
      await output.tell(taken ?? { order: "factory-reset", inSeconds: 0 }, ({ inSeconds }) =>
        inSeconds === 0 ? "The box is reset" : `The box reboots in ${inSeconds} s and is reset`,
      );
    },
  },
];
