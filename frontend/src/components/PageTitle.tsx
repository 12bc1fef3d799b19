/** The heading of a page, what the page is for, and its help. */

import { Button, Content, Title } from "@patternfly/react-core";
import QuestionCircleIcon from "@patternfly/react-icons/dist/esm/icons/question-circle-icon";
import { lazy, type ReactNode, Suspense, useState } from "react";

import { useArrival } from "../lib/focus";
import { Loading } from "./Loading";

/** Loaded when somebody asks for help. */
const HelpDialog = lazy(() => import("../help/HelpDialog"));

interface Props {
  title: string;
  /** The page whose help is shown, where it is not called as the title. */
  help?: string;
  children?: ReactNode;
}

export function PageTitle({ title, help = title, children }: Props) {
  const [helping, setHelping] = useState(false);
  const heading = useArrival();
  return (
    <header className="hapair-page-title">
      <div className="hapair-title-line">
        <Title headingLevel="h1" size="2xl" ref={heading} tabIndex={-1}>
          {title}
        </Title>
        <Button variant="link" icon={<QuestionCircleIcon />} onClick={() => { setHelping(true); }}>
          Help
        </Button>
      </div>
      {children && <Content component="p">{children}</Content>}
      {helping && (
        <Suspense fallback={<Loading what="the help" />}>
          <HelpDialog title={help} onClose={() => { setHelping(false); }} />
        </Suspense>
      )}
    </header>
  );
}
