/** `/network`: how the network is, and whether an address is free. What it shall be is in the configuration. */
import type { NetworkService } from "../../system/network/service.ts";
import { readValid } from "../body.ts";
import { addressCheck, addressQuestion, networkStatus } from "../networkSchemas.ts";
import { invalid } from "../problem.ts";
import { answer, type Route } from "../route.ts";

const JSON_TYPE = ["application/json"] as const;

export function networkRoutes(network: Pick<NetworkService, "status" | "probe">): Route[] {
  return [
    {
      id: "getNetwork",
      method: "get",
      path: "/network",
      access: { role: "viewer", scope: "system" },
      summary: "How the network is: interfaces, addresses and where the web page is found",
      answers: { 200: { description: "As it was a second ago at most", schema: networkStatus } },
      problems: [],
      handle: async (ctx) => answer(ctx, await network.status()),
    },
    {
      id: "checkAddress",
      method: "post",
      path: "/network/check",
      access: { role: "admin", scope: "system" },
      summary: "Ask the network whether another machine has an address",
      description: "By ARP (RFC 5227), which takes up to 4 s. Changes nothing.",
      body: { types: JSON_TYPE, schema: addressQuestion },
      answers: { 200: { description: "What was found, also in words", schema: addressCheck } },
      problems: ["invalid"],
      handle: async (ctx) => {
        const question = await readValid(ctx, JSON_TYPE, addressQuestion);
        const found = await network.probe(question.interface, question.address);
        if (found === undefined) {
          const message = `must be an interface that the box has, is ${JSON.stringify(question.interface)}`;
          throw invalid([{ pointer: "/interface", message, value: question.interface }]);
        }
        answer(ctx, found);
      },
    },
  ];
}
