import { Label } from "@patternfly/react-core";
import CheckCircleIcon from "@patternfly/react-icons/dist/esm/icons/check-circle-icon";
import ExclamationCircleIcon from "@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon";
import ExclamationTriangleIcon from "@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon";
import InProgressIcon from "@patternfly/react-icons/dist/esm/icons/in-progress-icon";
import ServerIcon from "@patternfly/react-icons/dist/esm/icons/server-icon";

import type { StatusWord } from "../api/model";
import { STATUS, type Tone } from "../lib/words";

const ICON: Record<Tone, typeof ServerIcon> = {
  grey: ServerIcon,
  blue: InProgressIcon,
  green: CheckCircleIcon,
  orange: ExclamationTriangleIcon,
  red: ExclamationCircleIcon,
  purple: ServerIcon,
};

export function StatusLabel({ word }: { word: StatusWord }) {
  const tone = STATUS[word].tone;
  const Icon = ICON[tone];
  return (
    <Label color={tone} icon={<Icon />} data-testid="status-word">
      {word}
    </Label>
  );
}
