import { useEffect, useRef, useState } from "preact/hooks";
import { isAtLeast } from "../../src/access/principal.ts";
import type { StoreProblem } from "../../src/config/durableFile.ts";
import { roleWords } from "../accessFormat.ts";
import { stateWords } from "../format.ts";
import { useAbsence, useHash, useNow, useServices, useStoreState, useTask } from "../hooks.ts";
import { type PageLink, pageOf, pages } from "../pages.ts";
import type { SessionUser } from "../session.ts";
import { isStale, needsAttention, type State } from "../store.ts";
import { AbsenceBanner } from "./AbsenceBanner.tsx";
import { Account } from "./access/Account.tsx";
import { Users } from "./access/Users.tsx";
import { Board } from "./Board.tsx";
import { Bench } from "./bench/Bench.tsx";
import { ChannelCard } from "./ChannelCard.tsx";
import { ConfigPage } from "./config/ConfigPage.tsx";
import { TrialBanner } from "./config/TrialBanner.tsx";
import { FirmwarePage } from "./firmware/FirmwarePage.tsx";
import { NetworkPage } from "./network/NetworkPage.tsx";
import { PowerPage } from "./power/PowerPage.tsx";

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

/** Past the masthead, for those who go by the keyboard. Not a link, since what is behind # names the page. */
function Skip() {
  return (
    <button type="button" class="skip" onClick={() => document.querySelector<HTMLElement>("main")?.focus()}>
      Skip to the content
    </button>
  );
}

function Pages({ offered, here }: { offered: readonly PageLink[]; here: PageLink }) {
  return (
    <nav aria-label="Pages">
      {offered.map(({ name, title }) => (
        <a key={name} href={`#${name}`} aria-current={name === here.name ? "page" : undefined}>
          {title}
        </a>
      ))}
    </nav>
  );
}

function LoggedIn({ user }: { user: SessionUser }) {
  const { session } = useServices();
  const { error, run } = useTask();
  return (
    <div class="who">
      <p>
        {user.name} <span class="role">{roleWords[user.role]}</span>
      </p>
      <button type="button" onClick={() => void run(() => session.logOut())}>
        Log out
      </button>
      <div role="alert">{error !== null && <p class="field-error">{error.message}</p>}</div>
    </div>
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

function Live({ state, now }: { state: State; now: number }) {
  return (
    <>
      <Channels state={state} now={now} />
      {state.board !== null && (
        <Board state={state.board} linked={state.link === "open"} clockOffset={state.clockOffset} />
      )}
    </>
  );
}

function Page({ page, state, now }: { page: PageLink; state: State; now: number }) {
  switch (page.name) {
    case "":
      return <Live state={state} now={now} />;
    case "bench":
      return state.board && <Bench state={state.board} linked={state.link === "open"} />;
    case "network":
      return <NetworkPage />;
    case "config":
      return <ConfigPage />;
    case "firmware":
      return <FirmwarePage />;
    case "power":
      return <PowerPage />;
    case "users":
      return <Users />;
    case "account":
      return <Account />;
  }
}

/** The pages that somebody may see at the moment. */
function offeredTo(user: SessionUser, state: State): readonly PageLink[] {
  if (user.mustEnrol) return pages.filter(({ name }) => name === "account");
  const virtual = state.board?.board.virtual === true;
  return pages.filter(({ name, role }) => isAtLeast(user.role, role) && (name !== "bench" || virtual));
}

/** The page of somebody who is logged in. */
export function Shell({ user }: { user: SessionUser }) {
  const state = useStoreState();
  const now = useNow();
  const hash = useHash();
  const { away } = useAbsence();
  const offered = offeredTo(user, state);
  const page = pageOf(hash, offered);
  const main = useRef<HTMLElement>(null);
  const boxName = state.config?.box.name ?? "Steadycast";
  const faults = state.channels.reduce((sum, { status }) => sum + status.faults.length, 0);
  useEffect(() => {
    const mark = state.link === "lost" ? "⚠ " : faults > 0 ? `(${faults}) ` : "";
    const place = page.name === "" ? "" : `${page.title} · `;
    document.title = `${mark}${place}${boxName}`;
  }, [boxName, faults, state.link, page]);

  const shown = useRef(hash);
  useEffect(() => {
    // Whoever has gone to another page reads on there.
    if (shown.current !== hash) main.current?.focus({ preventScroll: true });
    shown.current = hash;
  }, [hash]);

  return (
    <>
      <header class="masthead">
        <Skip />
        <img class="logo" src="icon.svg" alt="" width="28" height="28" />
        <h1>{boxName}</h1>
        <Summary state={state} />
        <Pages offered={offered} here={page} />
        {!user.mustEnrol && <p class={`link link-${state.link}`}>{linkWords[state.link]}</p>}
        <LoggedIn user={user} />
      </header>
      <div role="alert">
        {state.link === "lost" && away === null && (
          <p class="lost">
            <strong>The box cannot be reached.</strong> What is shown is from before; channels on air go on without this
            page. Trying again.
          </p>
        )}
      </div>
      <AbsenceBanner />
      <TrialBanner now={now} />
      <StoreProblems problems={state.storeProblems} />
      <Announcer state={state} />
      <main ref={main} tabIndex={-1} aria-label={page.title}>
        <Page page={page} state={state} now={now} />
      </main>
    </>
  );
}
