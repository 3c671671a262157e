import { endSession, fetchSessions } from "../../accessApi.ts";
import { agentWords, moment } from "../../accessFormat.ts";
import { useFetched, useServices, useSession, useTask } from "../../hooks.ts";
import { Card } from "../Card.tsx";
import { Trouble } from "../form/Trouble.tsx";

/** Where one is logged in; for an admin, where everybody is. */
export function Sessions() {
  const { session } = useServices();
  const state = useSession();
  const { data, error, reload } = useFetched(fetchSessions);
  const task = useTask();
  const me = state.phase === "in" ? state.user.name : "";
  const end = (id: string, current: boolean) =>
    task.run(async () => {
      await endSession(id);
      if (current) await session.check();
      else reload();
    });
  return (
    <Card title="Sessions">
      <Trouble error={error ?? task.error} />
      <ul class="rows">
        {data?.map(({ id, user, agent, address, lastSeen, expires, current }) => (
          <li key={id}>
            <div>
              <strong>{agentWords(agent)}</strong> {user !== me && <span>of {user} </span>}
              {current && <span class="mark">this one</span>}
              <p class="note">
                from {address}, last used {moment(lastSeen)}, ends at the latest {moment(expires)}
              </p>
            </div>
            <button
              type="button"
              class="halt"
              aria-label={`End the session of ${user} from ${address}`}
              onClick={() => void end(id, current)}
            >
              End
            </button>
          </li>
        ))}
      </ul>
    </Card>
  );
}
