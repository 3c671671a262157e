/** The page: what the box tells goes into the store, and the components show it. */
import { render } from "preact";
import { AbsenceWatch } from "./absence.ts";
import { ApiError, fetchConfig, listen, onDoubt, watchPresence } from "./api.ts";
import { App } from "./components/App.tsx";
import { FirmwareWatch } from "./firmware.ts";
import { Services } from "./hooks.ts";
import { LevelHub } from "./levels.ts";
import { Session } from "./session.ts";
import { Store } from "./store.ts";
import { TrialWatch } from "./trial.ts";

const store = new Store();
const levels = new LevelHub();
const session = new Session();
const trial = new TrialWatch();
const firmware = new FirmwareWatch();
const absence = new AbsenceWatch(() => firmware.look());
watchPresence();

async function refreshConfig(): Promise<void> {
  try {
    store.dispatch({ type: "config", ...(await fetchConfig()) });
  } catch (error) {
    // The page does without; the next snapshot asks again.
    if (!(error instanceof ApiError)) throw error;
  }
}

const listener: Parameters<typeof listen>[0] = {
  snapshot(channels, board) {
    store.dispatch({ type: "snapshot", channels, board, at: performance.now() });
    void refreshConfig();
    void trial.look();
    void absence.back();
  },
  channel: (status) => store.dispatch({ type: "channel", status, at: performance.now() }),
  channelRemoved: (id) => store.dispatch({ type: "channelRemoved", id }),
  levels: (news) => levels.take(news),
  board: (news) => store.dispatch(news),
  config() {
    void refreshConfig();
    void trial.look();
  },
  firmware: (status) => firmware.take(status),
  lost() {
    store.dispatch({ type: "lost" });
    absence.lost();
  },
};

firmware.subscribe(() => {
  const { status } = firmware.state;
  if (status !== null) absence.take(status);
});

async function admitted(): Promise<boolean> {
  await session.check();
  return session.state.phase === "in";
}

/** Ends listening; null while nobody is logged in who may listen. */
let deaf: (() => void) | null = null;

session.subscribe(() => {
  const { state } = session;
  const allowed = state.phase === "in" && !state.user.mustEnrol;
  if (allowed) deaf ??= listen(listener, admitted);
  else if (deaf !== null) {
    deaf();
    deaf = null;
    trial.forget();
    firmware.forget();
    // A session may end by the reboot; who logs in again is told what became of it.
    if (state.phase !== "out" || !state.ended) absence.forget();
    store.dispatch({ type: "left" });
  }
});
onDoubt(() => void session.check());
void session.begin();

const root = document.getElementById("app");
if (root !== null) {
  render(
    <Services.Provider value={{ store, levels, session, trial, firmware, absence }}>
      <App />
    </Services.Provider>,
    root,
  );
}
