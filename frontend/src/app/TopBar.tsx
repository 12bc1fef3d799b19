/** Which server this is, its role, the pair's status word, the job under way, and the user's menu. */

import {
  Flex,
  Masthead,
  MastheadBrand,
  MastheadContent,
  MastheadMain,
  MastheadToggle,
  PageToggleButton,
} from "@patternfly/react-core";

import { RoleLabel } from "../components/RoleLabel";
import { StatusLabel } from "../components/StatusLabel";
import { useLiveStatus } from "./live";
import { RunningJob } from "./RunningJob";
import { UserMenu } from "./UserMenu";

interface Props {
  sidebarOpen: boolean;
  onToggle: () => void;
}

export function TopBar({ sidebarOpen, onToggle }: Props) {
  const { status, liveness } = useLiveStatus();
  return (
    <Masthead display={{ default: "inline" }}>
      <MastheadMain>
        <MastheadToggle>
          <PageToggleButton
            isHamburgerButton
            aria-label="Navigation"
            isSidebarOpen={sidebarOpen}
            onSidebarToggle={onToggle}
          />
        </MastheadToggle>
        <MastheadBrand className="hapair-brand">
          <span className="hapair-hostname" data-testid="hostname">
            {status?.node.hostname ?? "hapair"}
          </span>
        </MastheadBrand>
      </MastheadMain>
      <MastheadContent>
        <Flex
          className={liveness === "lost" ? "hapair-identity hapair-faded" : "hapair-identity"}
          gap={{ default: "gapSm" }}
          flexWrap={{ default: "nowrap" }}
          alignItems={{ default: "alignItemsCenter" }}
        >
          {status && <RoleLabel role={status.node.role} />}
          {status && status.status !== "standalone" && <StatusLabel word={status.status} />}
          <RunningJob />
        </Flex>
        <div className="hapair-identity-end">
          <UserMenu />
        </div>
      </MastheadContent>
    </Masthead>
  );
}
