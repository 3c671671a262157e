import { useEffect, useRef, useState } from "preact/hooks";
import type { StoreProblem } from "../../src/config/durableFile.ts";
import { stateWords } from "../format.ts";
import { useHash, useNow, useStoreState } from "../hooks.ts";
import { isStale, needsAttention, type State } from "../store.ts";
import { Board } from "./Board.tsx";
import { Bench } from "./bench/Bench.tsx";
import { ChannelCard } from "./ChannelCard.tsx";

const linkWords: Record<State["link"], string> = {
  connecting: "Connecting",
  open: "Connected",
  lost: "Connection lost",
};

/** What a screen reader is told: changes of state, not the figures that come each second. */
function Announcer({ state }: { state: State }) {
  const known = useRef(new Map<string, string>());
  const [text, setText] = useState("");
  useEffect(() => {
    const news: string[] = [];
    for (const { status } of state.channels) {
      const before = known.current.get(status.id);
      known.current.set(status.id, status.state);
      if (before !== undefined && before !== status.state) news.push(`${status.name}: ${stateWords[status.state]}`);
    }
    if (news.length > 0) setText(news.join(". "));
  }, [state.channels]);
  return (
    <p class="unseen" aria-live="polite">
      {text}
    </p>
  );
}

function Summary({ state }: { state: State }) {
  const onAir = state.channels.filter(({ status }) => status.state !== "stopped" && status.state !== "starting").length;
  const troubled = state.channels.filter(({ status }) => needsAttention(status.state) || status.faults.length > 0);
  if (state.channels.length === 0) return null;
  return (
    <p class="summary">
      {onAir} of {state.channels.length} on air
      {troubled.length > 0 && <strong> · {troubled.length} with faults</strong>}
    </p>
  );
}

/** What the box says of its stored configuration, until it starts without a problem. */
function StoreProblems({ problems }: { problems: StoreProblem[] }) {
  if (problems.length === 0) return null;
  return (
    <section class="notice" aria-labelledby="store-problems">
      <h2 id="store-problems">The stored configuration needed attention</h2>
      <ul>
        {problems.map(({ when, file, what, action }) => (
          <li key={when + file}>
            <time datetime={when}>{new Date(when).toLocaleString()}</time>: {file} {what}; {action}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The way to the surroundings of a virtual box and back. */
function Pages({ onBench }: { onBench: boolean }) {
  const link = (href: string, text: string, here: boolean) => (
    <a href={href} aria-current={here ? "page" : undefined}>
      {text}
    </a>
  );
  return (
    <nav aria-label="Pages">
      {link("#", "Box", !onBench)}
      {link("#bench", "Bench", onBench)}
    </nav>
  );
}

function Channels({ state, now }: { state: State; now: number }) {
  return (
    <div class={state.channels.length > 1 ? "channels several" : "channels"}>
      {state.channels.map((channel) => (
        <ChannelCard
          key={channel.status.id}
          channel={channel}
          config={state.config?.channels.find(({ id }) => id === channel.status.id)}
          stale={isStale(state, channel, now)}
          linked={state.link === "open"}
          now={now}
          clockOffset={state.clockOffset}
        />
      ))}
      {state.channels.length === 0 && (
        <p class="empty">{state.link === "open" ? "No channel is configured." : "Waiting for the box …"}</p>
      )}
    </div>
  );
}

export function App() {
  const state = useStoreState();
  const now = useNow();
  const boxName = state.config?.box.name ?? "Steadycast";
  const { clockOffset } = state;
  const onBench = useHash() === "bench" && state.board?.board.virtual === true;
  const faults = state.channels.reduce((sum, { status }) => sum + status.faults.length, 0);
  useEffect(() => {
    const mark = state.link === "lost" ? "⚠ " : faults > 0 ? `(${faults}) ` : "";
    document.title = `${mark}${boxName}`;
  }, [boxName, faults, state.link]);

  return (
    <>
      <header class="masthead">
        <img class="logo" src="icon.svg" alt="" width="28" height="28" />
        <h1>{boxName}</h1>
        <Summary state={state} />
        {state.board?.board.virtual && <Pages onBench={onBench} />}
        <p class={`link link-${state.link}`}>{linkWords[state.link]}</p>
      </header>
      <div role="alert">
        {state.link === "lost" && (
          <p class="lost">
            <strong>The box cannot be reached.</strong> What is shown is from before; channels on air go on without this
            page. Trying again.
          </p>
        )}
      </div>
      <StoreProblems problems={state.storeProblems} />
      <Announcer state={state} />
      <main>
        {onBench && state.board !== null ? (
          <Bench state={state.board} linked={state.link === "open"} />
        ) : (
          <>
            <Channels state={state} now={now} />
            {state.board !== null && (
              <Board state={state.board} linked={state.link === "open"} clockOffset={clockOffset} />
            )}
          </>
        )}
      </main>
    </>
  );
}
