/** What is shown for each state of the session; the pages live inside the frame. */

import { Button, EmptyState, EmptyStateActions, EmptyStateBody, EmptyStateFooter } from "@patternfly/react-core";
import DisconnectedIcon from "@patternfly/react-icons/dist/esm/icons/disconnected-icon";

import { Loading } from "../components/Loading";
import { FirstPassword } from "../pages/login/FirstPassword";
import { LoginPage } from "../pages/login/LoginPage";
import { SessionEnded } from "../pages/login/SessionEnded";
import { Frame } from "./Frame";
import { LiveStatusProvider } from "./live";
import { SessionProvider, useSession } from "./session";

function Unreachable() {
  const { problem, ask } = useSession();
  return (
    <main>
      <EmptyState titleText={problem?.title} headingLevel="h1" icon={DisconnectedIcon} status="danger">
        <EmptyStateBody>
          {problem?.detail} {problem?.hint}
        </EmptyStateBody>
        <EmptyStateFooter>
          <EmptyStateActions>
            <Button onClick={() => void ask()}>Try again</Button>
          </EmptyStateActions>
        </EmptyStateFooter>
      </EmptyState>
    </main>
  );
}

function Console() {
  const { state, session } = useSession();
  if (state === "asking") return <Loading what="the console" />;
  if (state === "unreachable") return <Unreachable />;
  if (state === "anonymous") return <LoginPage />;
  if (session?.password_change_needed) return <FirstPassword />;
  return (
    <LiveStatusProvider>
      <Frame />
      <SessionEnded />
    </LiveStatusProvider>
  );
}

export function App() {
  return (
    <SessionProvider>
      <Console />
    </SessionProvider>
  );
}
