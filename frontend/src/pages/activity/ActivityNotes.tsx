/** What a reader must know of the page of entries: whose journal it is, and how far a search has come. */

import { Alert } from "@patternfly/react-core";

import type { ActivityListing } from "../../api/model";
import { Time } from "../../components/Time";

export function ActivityNotes({ page }: { page: ActivityListing }) {
  return (
    <>
      {page.source === "node" && (
        <Alert component="p" variant="warning" isInline title="Only this server’s own journal is shown">
          The common log of both servers can’t be read, because the database does not answer. What was done on the other
          server is missing here; it is in the common log again when the database is back.
        </Alert>
      )}
      {page.looked_back_to !== null && (
        <Alert component="p" variant="info" isInline isPlain title="The search goes on">
          Entries back to <Time at={page.looked_back_to} /> were looked through. “Older” looks further.
        </Alert>
      )}
    </>
  );
}
