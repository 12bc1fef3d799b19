/** The certificate that browsers see: how long it is good for, and how it is replaced. */

import { Alert, Button, Card, CardBody, CardTitle, DescriptionList, Flex } from "@patternfly/react-core";
import { useState } from "react";

import { ActDialog, type ActSpec } from "../../acts/ActDialog";
import { get, post } from "../../api/client";
import type { Certificate } from "../../api/model";
import { useMayChange } from "../../app/session";
import { Fact } from "../../components/Fact";
import { ProblemAlert } from "../../components/ProblemAlert";
import { Time } from "../../components/Time";
import { plural } from "../../lib/format";
import { useResource } from "../../lib/useResource";
import { ReplaceCertificate } from "./ReplaceCertificate";

/** From then on the end of the certificate is said as a warning. */
const WARN_DAYS = 30;

function End({ certificate }: { certificate: Certificate }) {
  const { days_left: left } = certificate;
  if (left > WARN_DAYS) return null;
  const title = left < 0 ? "The certificate has ended: browsers warn of it." : `The certificate ends in ${plural(left, "day", "days")}.`;
  return <Alert component="p" variant={left < 0 ? "danger" : "warning"} isInline isPlain title={title} />;
}

function Facts({ certificate }: { certificate: Certificate }) {
  const { subject, issuer, names, not_after: end, fingerprint, made_here: own } = certificate;
  const known = new Set([subject, ...names].filter(Boolean));
  return (
    <DescriptionList isHorizontal>
      <Fact term="For">{[...known].join(", ")}</Fact>
      <Fact term="Issued by">{own ? `${issuer} (this server itself)` : issuer}</Fact>
      <Fact term="Good until"><Time at={end} /></Fact>
      <Fact term="SHA256 fingerprint"><span className="hapair-mono">{fingerprint}</span></Fact>
    </DescriptionList>
  );
}

export function CertificateCard() {
  const mayChange = useMayChange();
  const path = "/system/certificate";
  const { value, problem, reload, set } = useResource(path, (signal) => get<Certificate>(path, signal));
  const [replacing, setReplacing] = useState(false);
  const [act, setAct] = useState<ActSpec | null>(null);
  const renewal: ActSpec = {
    title: "Make a new certificate",
    explanation: "This server makes a new certificate by itself and serves it at once. Load the page again afterwards.",
    button: "Make it",
    act: async () => {
      set(await post<Certificate>(`${path}/renew`));
      setAct(null);
    },
  };
  return (
    <Card component="section" data-testid="certificate">
      <CardTitle component="h2">Certificate of the console</CardTitle>
      <CardBody className="hapair-fields">
        <ProblemAlert problem={problem} onRetry={reload} />
        {value && <End certificate={value} />}
        {value && <Facts certificate={value} />}
        <Flex gap={{ default: "gapSm" }}>
          {value?.authority && (
            <Button
              variant="secondary"
              component="a"
              href={`data:application/x-pem-file,${encodeURIComponent(value.authority)}`}
              download="hapair-authority.pem"
            >
              Authority for browsers
            </Button>
          )}
          {mayChange && value && (
            <>
              <Button variant="secondary" onClick={() => { setReplacing(true); }}>Replace…</Button>
              <Button variant="secondary" onClick={() => { setAct(renewal); }}>Make a new one…</Button>
            </>
          )}
        </Flex>
      </CardBody>
      {act && <ActDialog spec={act} onClose={() => { setAct(null); }} />}
      {replacing && (
        <ReplaceCertificate
          onDone={(certificate) => {
            set(certificate);
            setReplacing(false);
          }}
          onClose={() => { setReplacing(false); }}
        />
      )}
    </Card>
  );
}
