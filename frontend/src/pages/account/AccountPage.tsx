/** What a person sets for themselves: the password, and a second factor. */

import { Card, CardBody, CardTitle, Grid, GridItem, Stack } from "@patternfly/react-core";

import { PageTitle } from "../../components/PageTitle";
import { PasswordForm } from "./PasswordForm";
import { SecondFactor } from "./SecondFactor";

export default function AccountPage() {
  return (
    <Stack hasGutter>
      <PageTitle title="Your account">It is the same on both servers of a pair.</PageTitle>
      <Grid hasGutter md={6}>
        <GridItem>
          <Card component="section">
            <CardTitle component="h2">Password</CardTitle>
            <CardBody>
              <PasswordForm />
            </CardBody>
          </Card>
        </GridItem>
        <GridItem>
          <Card component="section" data-testid="second-factor">
            <CardTitle component="h2">Second factor</CardTitle>
            <CardBody>
              <SecondFactor />
            </CardBody>
          </Card>
        </GridItem>
      </Grid>
    </Stack>
  );
}
