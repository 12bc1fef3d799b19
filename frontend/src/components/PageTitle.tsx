import { Content, Title } from "@patternfly/react-core";
import type { ReactNode } from "react";

export function PageTitle({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <header className="hapair-page-title">
      <Title headingLevel="h1" size="2xl">
        {title}
      </Title>
      {children && <Content component="p">{children}</Content>}
    </header>
  );
}
