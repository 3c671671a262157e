import { useSession } from "../hooks.ts";
import { LogIn } from "./access/LogIn.tsx";
import { SetUp } from "./access/SetUp.tsx";
import { Gate } from "./Gate.tsx";
import { Shell } from "./Shell.tsx";

export function App() {
  const session = useSession();
  switch (session.phase) {
    case "unknown":
      return (
        <Gate>
          <p class="empty" role="status">
            {session.reachable ? "Waiting for the box …" : "The box cannot be reached. Trying again."}
          </p>
        </Gate>
      );
    case "out":
      return (
        <Gate>
          <LogIn setup={session.setup} ended={session.ended} />
        </Gate>
      );
    case "setup":
      return (
        <Gate>
          <SetUp />
        </Gate>
      );
    case "in":
      return <Shell user={session.user} />;
  }
}
