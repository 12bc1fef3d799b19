import { Button, Content, Flex } from "@patternfly/react-core";

import type { Config } from "../../api/model";
import type { ConfigEditor } from "./useConfigEditor";

interface Props {
  editor: ConfigEditor;
  config: Config;
  onApply: () => void;
  onRetry: () => void;
}

function hint({ isEdited, errors }: ConfigEditor, config: Config): string {
  if (Object.keys(errors).length > 0) return "Correct the marked fields before you save.";
  if (isEdited) return "You have changes that are not saved. APPLY takes effect on the saved draft.";
  if (config.state === "failed") return "The last APPLY failed. RETRY does it again; or change the draft.";
  return "";
}

export function Buttons({ editor, config, onApply, onRetry }: Props) {
  const { isEdited, action } = editor;
  const invalid = Object.keys(editor.errors).length > 0;
  const busy = action.running || config.state === "applying";
  return (
    <div className="hapair-buttons">
      <Flex gap={{ default: "gapSm" }}>
        <Button type="submit" form="config-form" isAriaDisabled={!isEdited || invalid || busy} isLoading={action.running}>
          SAVE
        </Button>
        <Button variant="primary" onClick={onApply} isAriaDisabled={isEdited || busy}>
          APPLY
        </Button>
        {config.state === "failed" && !isEdited && (
          <Button variant="secondary" onClick={onRetry} isDisabled={busy}>
            RETRY
          </Button>
        )}
        {isEdited && (
          <Button variant="secondary" onClick={editor.undo} isDisabled={busy}>
            Undo edits
          </Button>
        )}
        {config.draft && !isEdited && (
          <Button variant="secondary" onClick={() => void editor.discard()} isDisabled={busy}>
            Discard draft
          </Button>
        )}
      </Flex>
      <Content component="small" aria-live="polite">
        {hint(editor, config)}
      </Content>
    </div>
  );
}
