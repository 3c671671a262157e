/** The page: what the box tells goes into the store, and the components show it. */
import { render } from "preact";
import { ApiError, fetchConfig, listen } from "./api.ts";
import { App } from "./components/App.tsx";
import { Services } from "./hooks.ts";
import { LevelHub } from "./levels.ts";
import { Store } from "./store.ts";

const store = new Store();
const levels = new LevelHub();

async function refreshConfig(): Promise<void> {
  try {
    store.dispatch({ type: "config", ...(await fetchConfig()) });
  } catch (error) {
    // The page does without; the next snapshot asks again.
    if (!(error instanceof ApiError)) throw error;
  }
}

listen({
  snapshot(channels, board) {
    store.dispatch({ type: "snapshot", channels, board, at: performance.now() });
    void refreshConfig();
  },
  channel: (status) => store.dispatch({ type: "channel", status, at: performance.now() }),
  channelRemoved: (id) => store.dispatch({ type: "channelRemoved", id }),
  levels: (news) => levels.take(news),
  board: (news) => store.dispatch(news),
  config: () => void refreshConfig(),
  lost: () => store.dispatch({ type: "lost" }),
});

const root = document.getElementById("app");
if (root !== null) {
  render(
    <Services.Provider value={{ store, levels }}>
      <App />
    </Services.Provider>,
    root,
  );
}
