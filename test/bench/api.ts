/** What many who ask the API do to each other, and that they do nothing to the stream. */
import { setTimeout as sleep } from "node:timers/promises";
import { RealBox } from "../browser/support/realBox.ts";
import { Wire, type WireReport } from "../media/support/wire.ts";
import { type Crowd, type LoadReport, load } from "./support/apiLoad.ts";
import { type Bench, interleaved, median, quantile, scoped, spread } from "./support/bench.ts";
import { processorLoad } from "./support/processes.ts";
import { destination } from "./support/product.ts";

const CROWD: Crowd = { clients: 200, requests: 2, streams: 100 };
/** Less than the box keeps; each is of a program of its own, which several of the crowd are. */
const TOKENS = 50;
/** ms. */
const LATENCY_BOUND = 50;
/** Seconds after the start, in which the supervisor compiles what it runs often. */
const WARM_UP = 15;
/** And with the crowd, before it is measured. */
const CROWD_WARM_UP = 5;

interface Run {
  wire: WireReport;
  load: LoadReport | undefined;
  /** % of a core that the supervisor takes. */
  processor: number;
}

/** ms by which 99 of 100 PCRs arrive at most late, and the same the other way round. */
const jitter = ({ wire: { pcr } }: Run) => (pcr[0]?.jitterUs?.p99 ?? Number.NaN) / 1000;
const errors = ({ wire: { tr101290, errors, gap, datagrams } }: Run) =>
  Object.values(tr101290).reduce((sum, count) => sum + count, 0) + errors.length + gap.unexcused + datagrams.rtpLost;
const p99 = ({ load }: Run) => quantile(load?.latencies ?? [], 0.99);

export const api: Bench = {
  title: "The API under load",

  async run(settings) {
    const { seconds, say } = settings;
    return await scoped(async (t) => {
      const { address, port } = destination(31);
      const outputs = [{ type: "udp", id: "main", address, port, interface: "lo" }];
      const box = new RealBox({ version: 3, channels: [{ id: "ch1", name: "Channel 1", outputs }] });
      t.after(() => box.remove());
      t.after(() => box.stop());
      await box.start();
      const admin = await box.admin();
      const tokens: string[] = [];
      for (let n = 0; n < TOKENS; n++) tokens.push(await admin.token(`bench ${n}`, "viewer", ["status"]));
      await sleep(WARM_UP * 1000);
      const pid = box.pid as number;

      const measure = async (crowd: Crowd): Promise<Run> => {
        const path = "/api/v1/channels/ch1/status";
        if (crowd.clients > 0) await load(box.url, path, tokens, crowd, CROWD_WARM_UP);
        return await scoped(async (scope) => {
          const wire = await Wire.watch(scope, address, port);
          const loading = crowd.clients > 0 ? load(box.url, path, tokens, crowd, seconds) : undefined;
          const [processor = Number.NaN] = await processorLoad([pid], seconds);
          const done = await loading;
          return { wire: await wire.report(), load: done, processor };
        });
      };
      const { idle, crowd } = await interleaved(
        { ...settings, say },
        { idle: () => measure({ clients: 0, requests: 0, streams: 0 }), crowd: () => measure(CROWD) },
        (run) =>
          `PCR ${jitter(run).toFixed(2)} ms late, ${errors(run)} errors, ${run.processor.toFixed(0)} % of a core` +
          (run.load === undefined ? "" : `, p99 ${p99(run).toFixed(1)} ms`),
      );
      const loads = crowd.flatMap(({ load }) => load ?? []);
      const failures = loads.flatMap(({ failures }) => [...failures].map(([why, count]) => `${count} × ${why}`));
      const asked = loads.reduce((sum, { latencies }) => sum + latencies.length, 0);
      const lost = loads.reduce((sum, { streams }) => sum + CROWD.streams - streams, 0);
      const wrong = crowd.reduce((sum, run) => sum + errors(run), 0);
      const worstIdle = Math.max(...idle.map(jitter));
      return {
        rows: [
          {
            what: `GET status, p99 of ${asked} answers`,
            bound: `≤ ${LATENCY_BOUND} ms`,
            measured: spread(crowd.map(p99), 1, "ms"),
            kept: median(crowd.map(p99)) <= LATENCY_BOUND,
          },
          {
            what: "The same, median",
            measured: spread(
              loads.map(({ latencies }) => median(latencies)),
              1,
              "ms",
            ),
          },
          {
            what: "Requests that failed, and streams that ended",
            bound: "none",
            measured: failures.length + lost === 0 ? "none" : `${failures.join(", ") || "none"}; ${lost} streams`,
            kept: failures.length + lost === 0,
          },
          {
            what: "Errors and gaps of the stream meanwhile",
            bound: "0",
            measured: `${wrong} (idle ${idle.reduce((sum, run) => sum + errors(run), 0)})`,
            kept: wrong === 0,
          },
          {
            what: "PCR arrival jitter, p99",
            bound: "≤ the widest when idle",
            measured: `${spread(crowd.map(jitter), 2, "ms")}; idle ${spread(idle.map(jitter), 2, "ms")}`,
            kept: median(crowd.map(jitter)) <= worstIdle,
          },
          {
            what: "The supervisor's part of a core",
            measured: `${spread(
              crowd.map(({ processor }) => processor),
              0,
              "%",
            )}; idle ${spread(
              idle.map(({ processor }) => processor),
              0,
              "%",
            )}`,
          },
        ],
        notes: [
          `${CROWD.clients} programs on this machine that ask for the channel's status ${CROWD.requests} times a second ` +
            `each over connections of their own that stay, and ${CROWD.streams} that listen to the events, with ${TOKENS} ` +
            "tokens; one 1280×720p25 channel on air, watched by the stand-alone analyser. The crowd runs in the bench's own " +
            "process, on the same cores, and its waiting counts.",
        ],
      };
    });
  },
};
