/** The pair drawn: both servers, and between them what flows, in which direction, and what is cut. */

import { Icon } from "@patternfly/react-core";
import CheckCircleIcon from "@patternfly/react-icons/dist/esm/icons/check-circle-icon";
import ExclamationCircleIcon from "@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon";
import QuestionCircleIcon from "@patternfly/react-icons/dist/esm/icons/question-circle-icon";

import { RoleLabel } from "../../components/RoleLabel";
import type { Health, LinkView, Picture, ServerView } from "./picture";

const HEALTH = {
  good: { icon: <CheckCircleIcon />, status: "success", text: "works" },
  bad: { icon: <ExclamationCircleIcon />, status: "danger", text: "does not work" },
  unknown: { icon: <QuestionCircleIcon />, status: undefined, text: "not known" },
} as const;

function HealthIcon({ health }: { health: Health }) {
  const { icon, status, text } = HEALTH[health];
  return (
    <>
      <Icon status={status} size="sm">
        {icon}
      </Icon>
      <span className="pf-v6-screen-reader">{text}: </span>
    </>
  );
}

function Server({ server }: { server: ServerView }) {
  return (
    <section
      className={server.faded ? "hapair-server hapair-server-faded" : "hapair-server"}
      aria-label={server.isThis ? `This server, ${server.hostname}` : `The other server, ${server.hostname}`}
      data-testid={server.isThis ? "this-server" : "other-server"}
    >
      <h3 className="hapair-server-name">
        {server.hostname} {server.isThis && <span className="hapair-quiet">this server</span>}
      </h3>
      <div>
        {server.role && <RoleLabel role={server.role} />} <span>{server.access}</span>
      </div>
      <div className="hapair-mono">{server.address}</div>
      {server.faded && <div data-testid="last-heard">{server.lastHeard}</div>}
      <ul>
        {server.facts.map((fact) => (
          <li key={fact.text}>
            <HealthIcon health={fact.health} /> {fact.text}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** An arrow from the left edge to the right one, broken in the middle where the link is cut. */
function Arrow({ link }: { link: LinkView }) {
  return (
    <svg
      className={`hapair-arrow hapair-arrow-${link.health} hapair-arrow-${link.direction}`}
      viewBox="0 0 120 12"
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {link.health === "bad" ? <path d="M2 6H50M70 6H108M54 1L66 11M66 1L54 11" /> : <path d="M2 6H108" />}
      <path d="M106 1L118 6L106 11Z" className="hapair-arrow-head" />
    </svg>
  );
}

function Link({ link }: { link: LinkView }) {
  const other = link.direction === "right" ? "to the other server" : "to this server";
  return (
    <li className="hapair-link" data-testid={`link-${link.name}`}>
      <span>
        <span className="hapair-arrow-narrow" aria-hidden="true">
          {link.direction === "right" ? "↓" : "↑"}
        </span>{" "}
        <HealthIcon health={link.health} /> {link.name} <span className="pf-v6-screen-reader">{other}</span>{" "}
        <span className="hapair-quiet">{link.text}</span>
      </span>
      <Arrow link={link} />
    </li>
  );
}

export function PairPicture({ picture }: { picture: Picture }) {
  const [own, peer] = picture.servers;
  const { virtualAddress } = picture;
  return (
    <div className="hapair-pair">
      {own && <Server server={own} />}
      {picture.links.length > 0 && (
        <ul className="hapair-links" aria-label="Between the servers">
          {picture.links.map((link) => (
            <Link key={link.name} link={link} />
          ))}
        </ul>
      )}
      {peer && <Server server={peer} />}
      {virtualAddress && (
        <div className="hapair-virtual-address" data-testid="virtual-address">
          <HealthIcon health={virtualAddress.health} /> {virtualAddress.text}
        </div>
      )}
    </div>
  );
}
