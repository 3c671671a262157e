import { useState } from "preact/hooks";
import { moment } from "../../accessFormat.ts";
import { fetchDiff, fetchHistory, fetchVersion, planChange, restoreVersion, type Version } from "../../configApi.ts";
import { useFetched, useMay, useStoreState, useTask } from "../../hooks.ts";
import { Card } from "../Card.tsx";
import { Choose } from "../form/Choose.tsx";
import { Trouble } from "../form/Trouble.tsx";
import { Backup } from "./Backup.tsx";
import { Differences } from "./Differences.tsx";
import { PlanDialog, type Planned } from "./PlanDialog.tsx";
import { useApply } from "./useApply.ts";

/** The versions of the configuration, what is different between them, and backups. */
export function ConfigPage() {
  const { configTag } = useStoreState();
  const isAdmin = useMay("admin");
  return (
    <div class="board pages">
      {/* Each change of the configuration makes another version. */}
      <History key={configTag} isAdmin={isAdmin} />
      {isAdmin && <Backup />}
    </div>
  );
}

function History({ isAdmin }: { isAdmin: boolean }) {
  const { config } = useStoreState();
  const { data: versions, error } = useFetched(fetchHistory);
  const [planned, setPlanned] = useState<Planned | null>(null);
  const task = useTask();
  const apply = useApply();

  const restore = ({ revision }: Version) =>
    task.run(async () => {
      const document = await fetchVersion(revision);
      const plan = await planChange({ revision });
      const title = `Restore version ${revision}?`;
      setPlanned({
        ...{ title, plan, documents: [document, config] },
        apply: (options) => apply(plan, options, () => restoreVersion(revision, options)),
      });
    });

  return (
    <>
      <Card title="Versions" wide>
        <Trouble error={error ?? task.error} />
        {!isAdmin && <p class="note">Only admins can restore a version.</p>}
        <ol class="rows">
          {versions?.map((version) => (
            <li key={version.revision}>
              <div>
                <strong>Version {version.revision}</strong> {version.current && <span class="mark">in force</span>}
                <p>{version.comment}</p>
                <p class="note">
                  {version.saved !== "" && `${moment(version.saved)} `}by {version.author ?? "the box"}
                </p>
              </div>
              {isAdmin && !version.current && (
                <button
                  type="button"
                  onClick={() => void restore(version)}
                  aria-label={`Restore version ${version.revision}`}
                >
                  Restore
                </button>
              )}
            </li>
          ))}
        </ol>
      </Card>
      {versions !== null && versions.length > 1 && <Comparison versions={versions} />}
      {planned !== null && <PlanDialog {...planned} close={() => setPlanned(null)} />}
    </>
  );
}

function Comparison({ versions }: { versions: Version[] }) {
  const { config } = useStoreState();
  const [newest, older] = versions;
  const [from, setFrom] = useState(String(older?.revision));
  const [to, setTo] = useState(String(newest?.revision));
  const choices = versions.map(
    ({ revision, comment }) =>
      [String(revision), comment === null || comment === "" ? `${revision}` : `${revision}: ${comment}`] as const,
  );
  return (
    <Card title="Compare" wide>
      <div class="fields">
        <Choose label="From version" value={from} choices={choices} set={setFrom} />
        <Choose label="To version" value={to} choices={choices} set={setTo} />
      </div>
      <Compared key={`${from} ${to}`} from={Number(from)} to={Number(to)} config={config} />
    </Card>
  );
}

function Compared({ from, to, config }: { from: number; to: number; config: unknown }) {
  const { data, error } = useFetched(() => fetchDiff(from, to));
  return (
    <div aria-live="polite">
      <Trouble error={error} />
      {data !== null && <Differences differences={data} documents={[config]} />}
    </div>
  );
}
