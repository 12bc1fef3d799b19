/** Left navigation, top bar, and the current page; a banner when the server stops answering. */

import { Alert, EmptyState, EmptyStateBody, Page, PageSection, SkipToContent } from "@patternfly/react-core";
import { Suspense, useState } from "react";
import { Route, Switch, useLocation } from "wouter";

import { Loading } from "../components/Loading";
import { Time } from "../components/Time";
import { useIdentityInTab } from "./identity";
import { useLiveStatus } from "./live";
import { Navigation } from "./Navigation";
import { PageBoundary } from "./PageBoundary";
import { PAGES } from "./pages";
import { TopBar } from "./TopBar";

/** The width from which PatternFly shows the navigation beside the page instead of over it. */
const WIDE_PX = 1_200;
const MAIN_ID = "main";

function LostBanner() {
  const { liveness, heardAt, problem } = useLiveStatus();
  if (liveness !== "lost") return null;
  return (
    <Alert component="p" variant="danger" isInline title={problem?.title ?? "This Server Does Not Answer"} role="alert">
      {problem?.detail} {heardAt && (
        <>
          What is shown here was last heard <Time at={heardAt.toISOString()} />.
        </>
      )}{" "}
      {problem?.hint}
    </Alert>
  );
}

function titleOf(location: string): string {
  const first = `/${location.split("/")[1] ?? ""}`;
  return PAGES.find((page) => page.path === first)?.title ?? "Not found";
}

function NoSuchPage() {
  return (
    <EmptyState titleText="There is no such page" headingLevel="h1">
      <EmptyStateBody>The navigation leads to all pages of this console.</EmptyStateBody>
    </EmptyState>
  );
}

export function Frame() {
  const [sidebarOpen, setSidebarOpen] = useState(() => window.innerWidth >= WIDE_PX);
  const [location] = useLocation();
  const { status, liveness } = useLiveStatus();
  useIdentityInTab(status, titleOf(location), liveness === "lost");

  const closeOnNarrow = () => {
    if (window.innerWidth < WIDE_PX) setSidebarOpen(false);
  };

  return (
    <Page
      masthead={
        <TopBar
          sidebarOpen={sidebarOpen}
          onToggle={() => {
            setSidebarOpen(!sidebarOpen);
          }}
        />
      }
      sidebar={sidebarOpen ? <Navigation onSelect={closeOnNarrow} /> : null}
      skipToContent={<SkipToContent href={`#${MAIN_ID}`}>Skip to content</SkipToContent>}
      mainContainerId={MAIN_ID}
    >
      <LostBanner />
      <PageSection>
        <PageBoundary key={location}>
          <Suspense fallback={<Loading what="the page" />}>
            <Switch>
              {PAGES.map((page) => (
                <Route key={page.path} path={page.path} component={page.component} />
              ))}
              <Route component={NoSuchPage} />
            </Switch>
          </Suspense>
        </PageBoundary>
      </PageSection>
    </Page>
  );
}
