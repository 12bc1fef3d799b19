/** A page that can't be drawn does not take the navigation and the other pages with it. */

import { Button, EmptyState, EmptyStateActions, EmptyStateBody, EmptyStateFooter } from "@patternfly/react-core";
import { Component, type ReactNode } from "react";

interface Props {
  children: ReactNode;
}

export class PageBoundary extends Component<Props, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <EmptyState titleText="This page can’t be shown" headingLevel="h1" status="danger">
        <EmptyStateBody>
          The console has met something in the server’s answer that it can’t draw. The pair is not affected. The other
          pages still work; the browser’s console says what it was.
        </EmptyStateBody>
        <EmptyStateFooter>
          <EmptyStateActions>
            <Button
              onClick={() => {
                this.setState({ failed: false });
              }}
            >
              Try again
            </Button>
          </EmptyStateActions>
        </EmptyStateFooter>
      </EmptyState>
    );
  }
}
