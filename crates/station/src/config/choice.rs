//! The deployment side as an operator chooses it while the station runs: the same texts as in the
//! file, read by the same parsers, checked by the same rules.

use super::meant::{Deployment, is_interface_name, misfits};
use super::subnet::{LeaseRange, Subnet};
use wire::nic::DeploymentChoice;
use wire::refusal::Refusal;

impl Deployment {
    /// The same deployment side with what was chosen; a refusal names the field at fault.
    pub fn chosen(&self, choice: &DeploymentChoice) -> Result<Self, Refusal> {
        let sentence = |field: &str, text: &dyn std::fmt::Display| {
            let mut text = format!("{text}.");
            // The rules of the file begin in lower case, behind the line they are about.
            if let Some(first) = text.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            Refusal::invalid(field, text)
        };
        if let Some(name) = &choice.interface
            && !is_interface_name(name)
        {
            let text = format!("{name:?} cannot be the name of a network interface.");
            return Err(Refusal::invalid("interface", text));
        }
        let address: Subnet = choice
            .address
            .trim()
            .parse()
            .map_err(|e| sentence("address", &e))?;
        let leases = match choice.leases.trim() {
            "" => address.usual_leases(),
            text => text.parse().map_err(|e| sentence("leases", &e))?,
        };
        if let Some(misfit) = misfits(leases, address).first() {
            return Err(sentence("leases", misfit));
        }
        Ok(Self {
            interface: choice.interface.clone(),
            address,
            leases,
            force_default_route: choice.force_default_route,
            ..self.clone()
        })
    }

    /// What was chosen, in the spelling of the file.
    pub fn choice(&self) -> DeploymentChoice {
        let leases: LeaseRange = self.leases;
        DeploymentChoice {
            interface: self.interface.clone(),
            address: self.address.to_string(),
            leases: leases.to_string(),
            force_default_route: self.force_default_route,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Environment};
    use super::*;

    fn usual() -> Deployment {
        Config::defaults(&Environment::default()).deployment
    }

    #[test]
    fn a_choice_reads_back_as_it_was_made() {
        let choice = DeploymentChoice {
            interface: Some("eth1".to_owned()),
            address: "10.9.0.1/16".to_owned(),
            leases: "10.9.1.1-10.9.1.50".to_owned(),
            force_default_route: true,
        };
        assert_eq!(usual().chosen(&choice).unwrap().choice(), choice);
        let mut open = choice;
        open.leases = String::new();
        let chosen = usual().chosen(&open).unwrap();
        assert_eq!(chosen.leases, chosen.address.usual_leases());
    }

    #[test]
    fn a_mistake_is_named_at_its_field() {
        let sound = usual().choice();
        for (field, part, choice) in [
            (
                "interface",
                "cannot be the name",
                DeploymentChoice {
                    interface: Some("eth 1".to_owned()),
                    ..sound.clone()
                },
            ),
            (
                "address",
                "with its prefix",
                DeploymentChoice {
                    address: "192.168.151.1".to_owned(),
                    ..sound.clone()
                },
            ),
            (
                "leases",
                "own address",
                DeploymentChoice {
                    leases: "192.168.151.1-192.168.151.9".to_owned(),
                    ..sound.clone()
                },
            ),
            (
                "leases",
                "no host address",
                DeploymentChoice {
                    leases: "10.0.0.1-10.0.0.9".to_owned(),
                    ..sound.clone()
                },
            ),
        ] {
            let refusal = usual().chosen(&choice).unwrap_err();
            assert_eq!(refusal.field.as_deref(), Some(field));
            assert!(refusal.message.contains(part), "{refusal}");
            assert!(refusal.message.ends_with('.'), "{refusal}");
        }
    }
}
