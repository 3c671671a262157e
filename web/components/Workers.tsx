import type { WorkerStatus } from "../../src/channels/status.ts";
import { workerWords } from "../format.ts";

export function Workers({ workers }: { workers: WorkerStatus[] }) {
  return (
    <details class="workers">
      <summary>Processes</summary>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Process</th>
              <th scope="col">State</th>
              <th scope="col">PID</th>
              <th scope="col">Starts</th>
              <th scope="col">Last exit</th>
            </tr>
          </thead>
          <tbody>
            {workers.map((worker) => (
              <tr key={worker.role + worker.name}>
                <th scope="row">
                  {worker.role}
                  {worker.role === "output" && ` ${worker.name}`}
                </th>
                <td>{workerWords[worker.state]}</td>
                <td>{worker.pid ?? "–"}</td>
                <td>
                  {worker.starts}
                  {worker.adopted && " (found running)"}
                </td>
                <td>{worker.lastExit || "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
