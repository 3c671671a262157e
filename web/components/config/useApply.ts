import { useCallback } from "preact/hooks";
import type { Plan } from "../../../src/config/plan.ts";
import { ApiError } from "../../api.ts";
import type { ApplyOptions } from "../../configApi.ts";
import { useServices, useSession } from "../../hooks.ts";

/** Carries out a change, and follows its trial even where the answer is lost with the way to the box. */
export function useApply(): (plan: Plan, options: ApplyOptions, send: () => Promise<unknown>) => Promise<void> {
  const { trial } = useServices();
  const session = useSession();
  const author = session.phase === "in" ? session.user.name : "";
  return useCallback(
    async (plan, { confirmSeconds, comment = "" }, send) => {
      if (confirmSeconds !== undefined) {
        trial.assume({ revision: 0, author, comment, confirmSeconds, differences: plan.differences });
      }
      try {
        await send();
      } catch (error) {
        // The way back is what such a change may cut: only a refusal tells that nothing has happened.
        if (!(error instanceof ApiError) || error.status !== 0 || confirmSeconds === undefined) {
          trial.forget();
          // Another one may be pending, which is why this one was refused.
          await trial.look();
          throw error;
        }
      }
      await trial.look();
    },
    [trial, author],
  );
}
