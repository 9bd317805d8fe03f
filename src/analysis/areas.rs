//! Areas: sets of units that have a name of their own.

use serde::{Deserialize, Serialize};

use crate::filter::{Filter, NodeRef};
use crate::query::{Query, Targets};
use crate::schema::PLACE;

/// A named set of units that no unit of the place tree is: a business circle across districts, an economic zone that is reported
/// as a district though its streets carry the codes of others.
///
/// As the base of a query it stands where a unit does ([`Query::across`]); in a ranking it is a row beside the units
/// ([`Policy::area`](crate::Policy::area)). A unit under another one of the area adds nothing.
///
/// ```
/// use zonal::{Area, Query};
///
/// let circle = Area::new("商圈", [["北京市", "朝阳区", "望京街道"], ["北京市", "顺义区", "后沙峪镇"]]);
/// let communities = Query::zoom().across(&circle).depth(1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct Area {
    pub(super) name: String,
    pub(super) units: Vec<NodeRef>,
    #[serde(default)]
    pub(super) apart: bool,
}

impl Area {
    /// All that lies at or under these units.
    pub fn new(name: impl Into<String>, units: impl IntoIterator<Item = impl Into<NodeRef>>) -> Self {
        Self { name: name.into(), units: units.into_iter().map(Into::into).collect(), apart: false }
    }

    /// Reported by itself: its orders are not counted for the units of the place tree that hold its units.
    pub fn apart(mut self) -> Self {
        self.apart = true;
        self
    }

    /// The area's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its units.
    #[must_use]
    pub fn units(&self) -> &[NodeRef] {
        &self.units
    }
}

impl Query {
    /// Only orders at or under the units of an area, as by [`within`](Self::within) for each of them.
    pub fn across(self, area: &Area) -> Self {
        area.units.iter().cloned().fold(self, Self::within)
    }

    /// The same question about some of its units, as one group.
    pub(super) fn of_units<'a>(&self, units: impl IntoIterator<Item = &'a NodeRef>) -> Self {
        let query = Self { within: Vec::new(), targets: Targets::Bases, all_units: false, ..self.clone() };
        let query = query.filter(under_any(units));
        if self.within.is_empty() { query } else { query.filter(under_any(&self.within)) }
    }
}

/// Orders at or under one of these units; none where there are none.
pub(super) fn under_any<'a>(units: impl IntoIterator<Item = &'a NodeRef>) -> Filter {
    Filter::Under { tree: PLACE.to_owned(), nodes: units.into_iter().cloned().collect() }
}

#[cfg(feature = "import")]
mod form {
    use serde::Deserialize;

    use super::Area;
    use crate::error::{Error, Result};
    use crate::filter::NodeRef;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Form {
        area: Vec<AreaForm>,
    }

    /// An area with its units as text.
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(in super::super) struct AreaForm {
        name: String,
        units: Vec<String>,
        #[serde(default)]
        apart: bool,
    }

    impl AreaForm {
        pub(in super::super) fn area(self) -> Area {
            let units = self.units.iter().map(|unit| NodeRef::parse(unit)).collect();
            Area { name: self.name, units, apart: self.apart }
        }
    }

    impl Area {
        /// Reads areas from TOML. Units are paths joined by `/` or `code:CODE`.
        ///
        /// ```
        /// let areas = zonal::Area::from_toml(r#"
        ///     [[area]]
        ///     name = "经济技术开发区"
        ///     apart = true                  # not counted for the districts that hold it
        ///     units = ["北京市/大兴区/亦庄镇", "code:110112117"]
        /// "#)?;
        /// assert_eq!(areas[0].units().len(), 2);
        /// # Ok::<(), zonal::Error>(())
        /// ```
        ///
        /// # Errors
        /// [`Error::Invalid`] with the place in the text.
        pub fn from_toml(text: &str) -> Result<Vec<Self>> {
            let form: Form =
                toml::from_str(text).map_err(|error| Error::invalid("areas", error.to_string()))?;
            Ok(form.area.into_iter().map(AreaForm::area).collect())
        }
    }
}

#[cfg(feature = "import")]
pub(super) use form::AreaForm;
